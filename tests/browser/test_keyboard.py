"""Everything on the live page without a mouse."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from attendance.models import ClassSession, User
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, row_of, status_of, wait_live

MANY = 80


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; every stop must be visible."""
    for _ in range(MANY):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """(selector) => {
              const now = document.activeElement;
              const { outlineStyle } = getComputedStyle(now);
              return { there: now.matches(selector), seen: outlineStyle !== "none" };
            }""",
            selector,
        )
        assert stop["seen"], "a focus that cannot be seen"
        if stop["there"]:
            return
    raise AssertionError(f"no way to {selector} by keyboard")


def test_keyboard_only(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session))
    wait_live(page)

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    # Override.
    row = f'tr[data-student="{student.pk}"]'
    tab_to(page, f"{row} [data-change]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")  # from Present to Late
    page.keyboard.press("Tab")
    page.keyboard.type("Seen in class")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(status_of(page, student)).to_have_text("Late")
    # The focus is back where it was.
    expect(row_of(page, student).locator("[data-change]")).to_be_focused()

    # Escape leaves the dialog and the question before closing.
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.goto(live_path(class_session))
    wait_live(page)
    tab_to(page, "summary.danger")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Close now")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Close now")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Closed")
