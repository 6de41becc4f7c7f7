"""Two teachers and two tabs at work at once all show the same: the database's truth."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from attendance import links
from attendance.models import ClassSession, Course, User
from attendance.services.check_in import check_in_by_code, check_in_by_token
from tests.browser.conftest import OpenPage
from tests.browser.live_page import (
    count,
    live_path,
    row_of,
    shown,
    status_of,
    wait_live,
    wait_revision,
)
from tests.cast import make_students


def override(page: Page, student: User, status: str) -> None:
    row_of(page, student).get_by_role("link", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(status, exact=True).check()
    dialog.get_by_label("Reason").fill("Seen")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()


def mark(page: Page, operation: str, *students: User) -> None:
    """Mark these by the bulk form; without any, everyone still unmarked."""
    for student in students:
        row_of(page, student).get_by_role("checkbox").check()
    form = page.locator("#bulk")
    if not form.is_visible():
        page.locator("#bulk-panel > summary").click()
    form.locator("[name=scope]").select_option("selected" if students else "unmarked")
    form.locator("[name=operation]").select_option(operation)
    form.locator("[name=reason]").fill("Trip")
    form.get_by_role("button", name="Mark").click()
    expect(form.locator("[name=reason]")).to_have_value("")


def test_all_three_show_the_same(
    class_session: ClassSession,
    course: Course,
    teacher: User,
    co_teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    one, two, three, four = make_students(course, 4)
    first = open_page(teacher, live_path(class_session))
    second = open_page(co_teacher, live_path(class_session))
    tab = second.context.new_page()
    tab.goto(live_path(class_session))
    screens = (first, second, tab)
    for screen in screens:
        wait_live(screen)

    # No waiting for one another between the steps of the two.
    check_in_by_token(student=student, token=links.current_token(class_session))
    override(first, one, "Late")
    mark(second, "mark_excused", two, three)
    override(tab, student2, "Absent")
    check_in_by_code(student=four, code=class_session.verification_code or "")
    mark(first, "mark_present", student2, two)
    override(second, student, "Excused")
    mark(tab, "mark_absent")
    mark(first, "mark_late", four)

    fresh = first.context.new_page()
    fresh.goto(live_path(class_session))
    for screen in (*screens, fresh):
        wait_revision(screen, class_session)
    expected = shown(fresh)
    for screen in screens:
        # Ticks and open panels are each teacher's own.
        assert shown(screen) == expected
    for person, status in (
        (student, "Excused"),
        (student2, "Present"),
        (one, "Late"),
        (two, "Present"),
        (three, "Excused"),
        (four, "Late"),
    ):
        expect(status_of(fresh, person)).to_have_text(status)
    expect(count(first, "unmarked")).to_have_text("0")
    # A message for each change, and none for what changed nothing.
    assert class_session.revision == 1 + 8


def test_a_click_on_what_has_changed_meanwhile_is_told(
    class_session: ClassSession,
    course: Course,
    teacher: User,
    co_teacher: User,
    student: User,
    open_page: OpenPage,
) -> None:
    first = open_page(teacher, live_path(class_session), refusals=True)
    second = open_page(co_teacher, live_path(class_session))
    wait_live(first)
    row_of(first, student).get_by_role("link", name="Change").click()
    override(second, student, "Excused")
    expect(status_of(first, student)).to_have_text("Excused")
    dialog = first.get_by_role("dialog")
    dialog.get_by_label("Absent").check()
    dialog.get_by_label("Reason").fill("Not seen")
    dialog.get_by_role("button", name="Save").click()
    expect(first.locator("#override-error")).to_contain_text("It is now “Excused”")
    expect(status_of(second, student)).to_have_text("Excused")
