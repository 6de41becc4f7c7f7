"""What the dialog says when somebody else was faster."""

from __future__ import annotations

from playwright.sync_api import expect

from attendance import links
from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_token
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, row_of, status_of, wait_live


def test_a_check_in_during_the_dialog_is_not_overwritten_unseen(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session), refusals=True)
    wait_live(page)
    row_of(page, student).get_by_role("link", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Absent").click()
    dialog.get_by_label("Reason").fill("Not seen")
    check_in_by_token(student=student, token=links.current_token(class_session))
    expect(status_of(page, student)).to_have_text("Present")

    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("It is now “Present”.")
    assert class_session.records.get().status == "present"

    dialog.get_by_role("button", name="Save").click()
    expect(status_of(page, student)).to_have_text("Absent")


def test_finding_a_student(
    class_session: ClassSession,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    page.get_by_label("Find a student").fill("LOVE")
    expect(row_of(page, student)).to_be_visible()
    expect(row_of(page, student2)).to_be_hidden()
    page.get_by_label("Select all shown").check()
    expect(page.locator("#picked")).to_have_text("1 selected")

    page.get_by_label("Find a student").fill("nobody")
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Show only").select_option("Present")
    expect(row_of(page, student2)).to_be_hidden()
    # Who becomes present appears in the filtered list by itself.
    check_in_by_token(student=student2, token=links.current_token(class_session))
    expect(row_of(page, student2)).to_be_visible()
