"""An administrator overrides in the Django admin; the teacher's page shows it."""

from __future__ import annotations

from playwright.sync_api import expect

from attendance import links
from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_token
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, row_of, status_of, wait_live

RECORDS = "/admin/attendance/attendancerecord/"


def test_one_and_many(
    class_session: ClassSession,
    teacher: User,
    admin: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    for who in (student, student2):
        check_in_by_token(student=who, token=links.current_token(class_session))
    screen = open_page(teacher, live_path(class_session))
    wait_live(screen)
    expect(status_of(screen, student)).to_have_text("Present")

    record = class_session.records.get(student=student)
    desk = open_page(admin, f"{RECORDS}{record.pk}/change/")
    desk.get_by_label("Status:").select_option("Excused")
    desk.get_by_label("Reason:").fill("Note from the doctor")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(status_of(screen, student)).to_have_text("Excused")
    expect(row_of(screen, student)).to_contain_text("Note from the doctor")
    expect(status_of(screen, student2)).to_have_text("Present")

    desk.goto(RECORDS)
    desk.locator("#action-toggle").check()
    desk.get_by_label("Action:").select_option("override_selected")
    desk.get_by_role("button", name="Run").or_(
        desk.get_by_role("button", name="Go")
    ).click()
    desk.get_by_label("Status:").select_option("Absent")
    desk.get_by_label("Reason:").fill("Fire drill")
    desk.get_by_role("button", name="Override").click()
    for who in (student, student2):
        expect(status_of(screen, who)).to_have_text("Absent")

    # And it is explained: who, and why.
    screen.goto(f"{live_path(class_session)}students/{student.pk}/")
    history = screen.locator(".history")
    expect(history).to_contain_text("Fire drill")
    expect(history).to_contain_text("Note from the doctor")
    expect(history).to_contain_text(admin.name)
