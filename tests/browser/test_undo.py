"""One click takes a change back, from the message about it or from the list."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from attendance.models import AttendanceRecord, ClassSession, User
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import override_status
from tests.browser.cable import wait_until
from tests.browser.conftest import OpenPage
from tests.browser.live_page import (
    live_path,
    row_of,
    shown,
    status_of,
    wait_live,
    wait_revision,
)


def mark_everybody(page: Page, scope: str = "unmarked") -> None:
    page.locator("#bulk-panel > summary").click()
    bulk = page.locator("#bulk")
    bulk.locator("[name=scope]").select_option(scope)
    bulk.locator("[name=operation]").select_option("mark_absent")
    bulk.locator("[name=reason]").fill("Storm")
    bulk.get_by_role("button", name="Mark").click()


def test_it_works(
    class_session: ClassSession,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    mark_everybody(page)
    messages = page.locator("#messages")
    expect(messages).to_contain_text("2 students marked, 0 unchanged.")
    expect(status_of(page, student)).to_have_text("Absent")
    messages.get_by_role("button", name="Undo").click()
    expect(messages).to_contain_text("Undone for 2 students.")
    for person in (student, student2):
        expect(status_of(page, person)).to_have_text("Unmarked")
    wait_revision(page, class_session)
    live = shown(page)
    page.reload()
    wait_live(page)
    assert shown(page) == live


def test_an_override_from_the_message(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    row_of(page, student).get_by_role("link", name="Change").click()
    dialog = page.locator("#override")
    dialog.get_by_label("Excused").check()
    dialog.get_by_label("Reason").fill("Ill")
    dialog.get_by_role("button", name="Save").click()
    messages = page.locator("#messages")
    expect(messages).to_contain_text("Ada Lovelace is marked Excused.")
    messages.get_by_role("button", name="Undo").click()
    expect(status_of(page, student)).to_have_text("Unmarked")


def test_a_colleagues_change_from_the_list(
    class_session: ClassSession,
    teacher: User,
    co_teacher: User,
    student: User,
    open_page: OpenPage,
) -> None:
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    override_status(
        class_session=class_session,
        actor=co_teacher,
        student_id=student.pk,
        status="late",
        reason="Bus",
    )
    page.locator("#changes > summary").click()
    entry = page.locator("#operations li").first
    expect(entry).to_contain_text("Ada Lovelace marked Late by Conrad Helper: Bus")
    live = page.locator("#operations").inner_html().split()
    page.reload()
    wait_live(page)
    assert page.locator("#operations").inner_html().split() == live
    page.locator("#changes > summary").click()
    entry.get_by_role("button", name="Undo").click()
    expect(entry).to_contain_text("Undone for Ada Lovelace, again Unmarked")
    expect(page.locator("#operations li").nth(1).get_by_role("button")).to_have_count(0)
    # The undo itself can be taken back.
    expect(entry.get_by_role("button", name="Undo")).to_be_visible()


def test_a_check_in_during_the_click_is_not_overwritten(
    class_session: ClassSession,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    """Also where everybody is marked, and the page has not seen it yet."""
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    held: list[Route] = []
    page.route("**/bulk/", lambda route: held.append(route))
    mark_everybody(page, "all")
    wait_until(page, lambda: bool(held))
    check_in_by_code(student=student, code=class_session.verification_code or "")
    held[0].continue_()
    expect(page.locator("#messages")).to_contain_text(
        "1 student marked, 0 unchanged. 1 student left alone: changed meanwhile"
    )
    expect(status_of(page, student)).to_have_text("Present")
    expect(status_of(page, student2)).to_have_text("Absent")


def test_without_a_script(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="late",
        reason="Bus",
    )
    page = open_page(teacher, live_path(class_session), java_script_enabled=False)
    page.locator("#changes > summary").click()
    page.locator("#operations").get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("Undone for 1 student.")
    assert AttendanceRecord.objects.get(student=student).status == "unmarked"


def test_without_a_script_a_bulk_mark_overwrites_nothing_unseen(
    class_session: ClassSession,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    page = open_page(teacher, live_path(class_session), java_script_enabled=False)
    check_in_by_code(student=student, code=class_session.verification_code or "")
    mark_everybody(page, "all")
    expect(page.locator("#messages")).to_contain_text("1 student left alone")
    expect(status_of(page, student)).to_have_text("Present")
    expect(status_of(page, student2)).to_have_text("Absent")
