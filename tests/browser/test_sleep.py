"""A page that wakes up is right again within one round trip, and does not lie."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from attendance import links
from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_token
from tests.browser.cable import Cable, hold_time, now_of, wait_until
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, status_of, wait_live

HOUR = timedelta(hours=1)
SINCE = re.compile(r"(Not up to date since|Catching up from) \d\d:\d\d:\d\d")
WAKE_UPS = {
    "shown": "document.dispatchEvent(new Event('visibilitychange'))",
    "resumed": "document.dispatchEvent(new Event('resume'))",
    "online": "window.dispatchEvent(new Event('online'))",
    "restored": "window.dispatchEvent("
    "new PageTransitionEvent('pageshow', {persisted: true}))",
}


def said(page: Page) -> Locator:
    return page.locator("#connection-text")


@pytest.fixture
def page(class_session: ClassSession, teacher: User, open_page: OpenPage) -> Page:
    page = open_page(teacher, "/courses/")
    page.clock.install()
    return page


@pytest.fixture
def cable(page: Page, class_session: ClassSession) -> Cable:
    """That of a live page whose time is held."""
    cable = Cable(page)
    page.goto(live_path(class_session))
    wait_live(page)
    hold_time(page)
    return cable


def sleep(page: Page, cable: Cable, how_long: timedelta) -> None:
    """The lid is closed: the socket dies in silence, no timer runs."""
    cable.freeze()
    page.clock.set_system_time(now_of(page) + how_long)


@pytest.mark.parametrize("event", WAKE_UPS)
def test_after_a_long_sleep_it_connects_anew(
    event: str, cable: Cable, page: Page, class_session: ClassSession, student: User
) -> None:
    sleep(page, cable, HOUR)
    check_in_by_token(student=student, token=links.current_token(class_session))
    # No time passes here: nothing but the round trip brings the page up to date.
    page.evaluate(WAKE_UPS[event])
    expect(said(page)).to_have_text("Live")
    expect(status_of(page, student)).to_have_text("Present")
    assert len(cable.handshakes) == 2
    assert cable.handshakes[-1].endswith("?after=1")


def test_without_an_event_it_notices_that_time_has_jumped(
    cable: Cable, page: Page, class_session: ClassSession, student: User
) -> None:
    sleep(page, cable, HOUR)
    check_in_by_token(student=student, token=links.current_token(class_session))
    page.clock.run_for(1000)
    expect(status_of(page, student)).to_have_text("Present")
    expect(said(page)).to_have_text("Live")


def test_until_it_is_right_it_says_since_when_it_is_not(
    cable: Cable, page: Page
) -> None:
    # Clocks that go on while the machine sleeps, and timers that do not.
    asleep_at = f"{now_of(page):%H:%M}"
    cable.freeze()
    cable.sockets = "silent"
    page.clock.fast_forward(3_600_000)
    expect(said(page)).to_have_text(SINCE)
    expect(said(page)).to_contain_text(asleep_at)
    cable.sockets = "work"
    cable.close()
    cable.run_until_tried()
    expect(said(page)).to_have_text("Live")


def test_after_a_nap_the_old_socket_is_asked(
    cable: Cable, page: Page, class_session: ClassSession
) -> None:
    heard = cable.heard
    page.evaluate(WAKE_UPS["shown"])
    wait_until(page, lambda: cable.heard > heard)
    page.clock.run_for(3000)
    expect(said(page)).to_have_text("Live")
    assert cable.sent == ['{"type":"ping"}']
    assert len(cable.handshakes) == 1


def test_an_old_socket_that_does_not_answer_is_given_up(
    cable: Cable, page: Page, class_session: ClassSession, student: User
) -> None:
    cable.freeze()
    check_in_by_token(student=student, token=links.current_token(class_session))
    page.evaluate(WAKE_UPS["shown"])
    page.clock.run_for(2500)
    expect(status_of(page, student)).to_have_text("Present")
    expect(said(page)).to_have_text("Live")
    assert len(cable.handshakes) == 2


def test_a_clock_that_is_set_back_keeps_nothing_alive(cable: Cable, page: Page) -> None:
    cable.freeze()
    cable.sockets = "silent"
    page.clock.set_system_time(now_of(page) - HOUR)
    page.clock.run_for(13_000)
    expect(said(page)).to_have_text(SINCE)


def test_a_clock_that_is_set_costs_a_live_page_nothing(
    cable: Cable, page: Page
) -> None:
    for step in (-HOUR, HOUR, timedelta(days=1)):
        page.clock.set_system_time(now_of(page) + step)
        page.clock.run_for(1000)
        expect(said(page)).to_have_text("Live")
