"""What the browser tests do on the live page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from attendance.models import ClassSession, User

# All that changes live, without what depends on the moment: attributes in one order,
# white space as one blank, no highlight.
_NORMALIZED = """() => {
  const clean = (node) => {
    const copy = node.cloneNode(true);
    for (const element of [copy, ...copy.querySelectorAll("*")]) {
      element.classList.remove("changed");
      const attributes = [...element.attributes]
        .map(({name, value}) => [name, value])
        .filter(([name, value]) => !(name === "class" && value === ""))
        .sort(([a], [b]) => (a < b ? -1 : 1));
      for (const {name} of [...element.attributes]) element.removeAttribute(name);
      for (const [name, value] of attributes) element.setAttribute(name, value);
    }
    return copy.outerHTML.replace(/\\s+/g, " ").replace(/> /g, ">").replace(/ </g, "<");
  };
  const parts = [...document.querySelectorAll(
    "#roll, .tally, .board, .live-head > div:first-child, #state, #share-link, .projector-head > div:first-child, .confirm-box p"
  )].map(clean);
  const live = document.querySelector("[data-live]");
  return [live.dataset.state, live.dataset.revision, ...parts];
}"""  # noqa: E501


def live_path(class_session: ClassSession, tail: str = "") -> str:
    return f"/class-sessions/{class_session.pk}/{tail}"


def row_of(page: Page, student: User) -> Locator:
    return page.locator(f'#roll tr[data-student="{student.pk}"]')


def status_of(page: Page, student: User) -> Locator:
    return row_of(page, student).locator('[data-field="status"]')


def count(page: Page, name: str) -> Locator:
    return page.locator(f'[data-count="{name}"]').last


def wait_live(page: Page) -> None:
    expect(page.locator("#connection")).to_have_attribute("data-connection", "live")


def wait_revision(page: Page, class_session: ClassSession) -> None:
    """Until the page shows all that has been committed."""
    class_session.refresh_from_db()
    expect(page.locator("[data-live]")).to_have_attribute(
        "data-revision", str(class_session.revision)
    )
    if class_session.is_open:
        # The picture follows the code by one request.
        expect(page.locator("#qr svg")).to_be_visible()


def shown(page: Page) -> Any:
    """What the page shows of the class session, in a form to compare."""
    return page.evaluate(_NORMALIZED)
