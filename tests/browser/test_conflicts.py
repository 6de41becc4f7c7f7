"""A conflict shows live on its row, with both sides, and one click settles it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from attendance.models import AttendanceRecord, ClassSession, User
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import override_status
from tests.browser.conftest import OpenPage
from tests.browser.live_page import (
    live_path,
    row_of,
    shown,
    status_of,
    wait_live,
    wait_revision,
)


def mark(class_session: ClassSession, actor: User, student: User, status: str) -> None:
    override_status(
        class_session=class_session,
        actor=actor,
        student_id=student.pk,
        status=status,
        reason="Not seen",
    )


def check_in(class_session: ClassSession, student: User) -> None:
    code = class_session.verification_code or ""
    assert check_in_by_code(student=student, code=code).already_checked_in


def conflict_of(page: Page, student: User) -> Locator:
    return row_of(page, student).locator("[data-conflict]")


def test_it_works(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    mark(class_session, teacher, student, "absent")
    check_in(class_session, student)
    conflict = conflict_of(page, student)
    expect(conflict).to_contain_text("Marked Absent by a teacher, but checked in as")
    expect(page.locator("#conflicts-note")).to_contain_text("1 in conflict")
    live = shown(page)
    page.reload()
    wait_live(page)
    assert shown(page) == live

    conflict.get_by_role("button", name="Accept Present").click()
    expect(status_of(page, student)).to_have_text("Present")
    expect(conflict).to_have_count(0)
    expect(page.locator("#conflicts-note")).to_be_hidden()
    record = AttendanceRecord.objects.get(student=student)
    assert record.check_in_time is not None
    wait_revision(page, class_session)
    live = shown(page)
    page.reload()
    wait_live(page)
    assert shown(page) == live


def test_keeping_the_mark(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    mark(class_session, teacher, student, "absent")
    check_in(class_session, student)
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    conflict_of(page, student).get_by_role("button", name="Keep Absent").click()
    expect(page.locator("#messages")).to_contain_text("The conflict is settled.")
    expect(conflict_of(page, student)).to_have_count(0)
    expect(status_of(page, student)).to_have_text("Absent")


def test_a_colleague_sees_it_settled(
    class_session: ClassSession,
    teacher: User,
    co_teacher: User,
    student: User,
    open_page: OpenPage,
) -> None:
    mark(class_session, teacher, student, "absent")
    check_in(class_session, student)
    pages = [open_page(who, live_path(class_session)) for who in (teacher, co_teacher)]
    for page in pages:
        wait_live(page)
        expect(conflict_of(page, student)).to_be_visible()
    conflict_of(pages[0], student).get_by_role("button", name="Accept").click()
    for page in pages:
        expect(conflict_of(page, student)).to_have_count(0)
        expect(status_of(page, student)).to_have_text("Present")


def test_an_administrators_mark_can_only_be_kept(
    class_session: ClassSession,
    teacher: User,
    admin: User,
    student: User,
    open_page: OpenPage,
) -> None:
    page = open_page(teacher, live_path(class_session), refusals=True)
    wait_live(page)
    mark(class_session, admin, student, "excused")
    expect(status_of(page, student)).to_have_text("Excused")
    row_of(page, student).get_by_role("link", name="Change").click()
    page.locator("#override").get_by_label("Absent").check()
    page.locator("#override").get_by_label("Reason").fill("Not seen")
    page.locator("#override").get_by_role("button", name="Save").click()
    expect(page.locator("#override-error")).to_contain_text("An administrator has set")
    page.locator("#override-cancel").click()

    conflict = conflict_of(page, student)
    expect(conflict).to_contain_text(
        "Marked Excused by an administrator, but Tilda Owner says Absent."
    )
    expect(conflict.get_by_role("button", name="Accept")).to_have_count(0)
    live = shown(page)
    page.reload()
    wait_live(page)
    assert shown(page) == live
    conflict.get_by_role("button", name="Keep Excused").click()
    expect(conflict).to_have_count(0)


def test_only_those_in_conflict(
    class_session: ClassSession,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    mark(class_session, teacher, student, "absent")
    check_in(class_session, student)
    page = open_page(teacher, live_path(class_session))
    page.locator("#conflicts-show").click()
    expect(row_of(page, student)).to_be_visible()
    expect(row_of(page, student2)).to_be_hidden()


def test_without_a_script(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    mark(class_session, teacher, student, "absent")
    check_in(class_session, student)
    page = open_page(teacher, live_path(class_session), java_script_enabled=False)
    conflict_of(page, student).get_by_role("button", name="Accept Present").click()
    expect(page.locator("#messages")).to_contain_text("The conflict is settled.")
    expect(status_of(page, student)).to_have_text("Present")
