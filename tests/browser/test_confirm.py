"""The questions before something that matters."""

from __future__ import annotations

from playwright.sync_api import expect

from attendance.models import ClassSession, User
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, wait_live


def test_what_is_asked_comes_into_view(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session), phone=True)
    wait_live(page)
    ask = page.locator("summary.danger")
    # The last thing on the screen.
    ask.evaluate("(summary) => summary.scrollIntoView({ block: 'end' })")
    ask.click()
    expect(page.get_by_role("button", name="Close now")).to_be_in_viewport(ratio=1)


def test_one_is_asked_at_a_time(
    class_session: ClassSession, teacher: User, student2: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, f"/courses/{class_session.course_id}/")
    asked = page.locator("#students details.confirm")
    boxes = asked.locator(".confirm-box")
    asked.nth(1).locator("summary").click()
    expect(boxes.nth(1)).to_be_visible()
    asked.nth(0).locator("summary").click()
    expect(boxes.nth(0)).to_be_visible()
    expect(boxes.nth(1)).to_be_hidden()
    page.keyboard.press("Escape")
    expect(boxes.nth(0)).to_be_hidden()
