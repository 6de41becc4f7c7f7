"""However the connection is doing, it can be read, and nothing else moves."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from attendance.models import ClassSession, User
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, wait_live

STATES = ["connecting", "live", "catching-up", "stale", "polling"]
WITH_SINCE = ["catching-up", "stale", "ended"]
_PLACES = """() => [...document.querySelectorAll("h1, .state, .board, .tally, .button")]
  .filter((element) => element.checkVisibility())
  .map((element) => JSON.stringify(element.getBoundingClientRect()))"""
_SHOW = """async ([state, old]) => {
  const { showConnection } = await import("/static/js/connection.js");
  showConnection(state, old ? new Date() : null);
}"""


def places(page: Page) -> Any:
    return page.evaluate(_PLACES)


@pytest.mark.parametrize(
    ("tail", "scheme", "phone"),
    [
        ("", "light", True),
        ("", "dark", False),
        ("project/", "light", False),
        ("me", "dark", True),
    ],
)
def test_every_state(
    tail: str,
    scheme: str,
    phone: bool,
    class_session: ClassSession,
    teacher: User,
    student: User,
    open_page: OpenPage,
) -> None:
    who, path = teacher, live_path(class_session, tail)
    if tail == "me":
        who, path = student, "/me/"
    page = open_page(who, path, phone=phone, color_scheme=scheme)
    wait_live(page)
    before, sentences = places(page), set()
    for state in [*STATES, "ended"]:
        page.evaluate(_SHOW, [state, state in WITH_SINCE])
        sentences.add(page.locator("#connection-text").inner_text())
        findings = Axe().run(page, context="#connection").response["violations"]
        assert findings == [], f"{state}: {findings}"
        if state in STATES:
            assert places(page) == before, f"{state} moves something"
    # In words, not by colour alone.
    assert len(sentences) == len(STATES) + 1
