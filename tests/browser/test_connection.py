"""The live page says how current it is, and comes back by itself."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, Route, expect

from attendance import links
from attendance.models import ClassSession, Course, CourseTeacher, User
from attendance.services.check_in import check_in_by_token
from tests.browser.cable import Cable, hold_time
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, status_of, wait_live

STALE = re.compile(r"^Not up to date since \d\d:\d\d:\d\d$")
SINCE = re.compile(r"(Not up to date since|Catching up from) \d\d:\d\d:\d\d")


def said(page: Page) -> Locator:
    return page.locator("#connection-text")


def state(page: Page) -> str | None:
    return page.locator("#connection").get_attribute("data-connection")


@pytest.fixture
def page(class_session: ClassSession, teacher: User, open_page: OpenPage) -> Page:
    """About to open the live page, with a clock of its own."""
    page = open_page(teacher, "/courses/", refusals=True)
    page.clock.install()
    return page


@pytest.fixture
def cable(page: Page) -> Cable:
    return Cable(page)


def test_it_catches_up_after_a_break(
    cable: Cable, page: Page, class_session: ClassSession, student: User
) -> None:
    page.goto(live_path(class_session))
    wait_live(page)
    hold_time(page)
    cable.pull()
    expect(said(page)).to_have_text("Catching up…")
    check_in_by_token(student=student, token=links.current_token(class_session))
    page.clock.run_for(7000)
    expect(said(page)).to_have_text(STALE)
    expect(status_of(page, student)).to_have_text("Unmarked")

    cable.plug_in()
    # A person who looks at the page again need not wait for the next attempt.
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(said(page)).to_have_text("Live")
    expect(status_of(page, student)).to_have_text("Present")
    assert cable.handshakes[-1].endswith("?after=1")


def test_it_says_that_it_connects(
    cable: Cable, page: Page, class_session: ClassSession
) -> None:
    cable.sockets = "silent"
    page.goto(live_path(class_session))
    expect(said(page)).to_have_text("Connecting…")
    hold_time(page)
    # Open, but what the page shows may be old by now.
    page.clock.run_for(6500)
    expect(said(page)).to_have_text(SINCE)


def test_it_never_says_live_for_long_without_proof(
    cable: Cable, page: Page, class_session: ClassSession
) -> None:
    page.goto(live_path(class_session))
    wait_live(page)
    cable.freeze()
    cable.sockets = "silent"
    hold_time(page)
    page.clock.run_for(9000)
    expect(said(page)).to_have_text("Live")
    page.clock.run_for(3600)
    for _ in range(12):
        assert state(page) in ("stale", "catching-up")
        expect(said(page)).to_have_text(SINCE)
        page.clock.run_for(5000)
    cable.sockets = "work"
    cable.run_until_tried()
    wait_live(page)


def test_it_asks_for_what_got_lost_on_the_way(
    cable: Cable, page: Page, class_session: ClassSession, student: User
) -> None:
    page.goto(live_path(class_session))
    wait_live(page)
    cable.lose_messages = 1
    check_in_by_token(student=student, token=links.current_token(class_session))
    expect(status_of(page, student)).to_have_text("Present")
    wait_live(page)
    assert json.loads(cable.sent[0]) == {"type": "resync", "after": 1}
    assert len(cable.handshakes) == 1


def test_it_tries_again_without_storming(
    cable: Cable, page: Page, class_session: ClassSession
) -> None:
    page.goto(live_path(class_session))
    wait_live(page)
    hold_time(page)
    before = len(cable.handshakes)
    cable.pull()
    expect(said(page)).to_have_text("Catching up…")
    for _ in range(60):
        page.clock.run_for(1000)
    assert 5 <= len(cable.handshakes) - before <= 16
    cable.plug_in()
    cable.run_until_tried()
    expect(said(page)).to_have_text("Live")


@pytest.mark.parametrize(
    ("reason", "waits_ms"),
    [("4000", (3900, 4000)), ("99999999", (29_900, 30_000)), ("soon", (0, 400))],
)
def test_a_server_that_restarts_says_when_to_come_back(
    reason: str,
    waits_ms: tuple[int, int],
    cable: Cable,
    page: Page,
    class_session: ClassSession,
) -> None:
    page.goto(live_path(class_session))
    wait_live(page)
    hold_time(page)
    before = len(cable.handshakes)
    cable.close(1012, reason)
    expect(said(page)).to_have_text("Catching up…")
    shortest, longest = waits_ms
    page.clock.run_for(shortest)
    assert len(cable.handshakes) == before
    page.clock.run_for(longest - shortest)
    expect(said(page)).to_have_text("Live")
    assert len(cable.handshakes) == before + 1


def test_screen_readers_hear_of_what_lasts(
    cable: Cable, page: Page, class_session: ClassSession
) -> None:
    page.goto(live_path(class_session))
    wait_live(page)
    aloud = page.locator("#connection-said")
    hold_time(page)
    page.clock.run_for(2000)
    expect(aloud).to_be_empty()
    cable.close(1012, "500")
    page.clock.run_for(500)
    expect(said(page)).to_have_text("Live")
    page.clock.run_for(2000)
    expect(aloud).to_be_empty()

    cable.pull()
    expect(said(page)).to_have_text("Catching up…")
    page.clock.run_for(8000)
    expect(aloud).to_have_text(STALE)
    cable.plug_in()
    cable.run_until_tried()
    expect(said(page)).to_have_text("Live")
    page.clock.run_for(1600)
    expect(aloud).to_have_text("Live")


def test_nothing_is_lost_between_rendering_and_connecting(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, "/courses/")
    held: list[Route] = []
    page.route("**/js/live.js", lambda route: held.append(route))
    page.goto(live_path(class_session), wait_until="commit")
    expect(status_of(page, student)).to_have_text("Unmarked")
    check_in_by_token(student=student, token=links.current_token(class_session))
    held[0].continue_()
    expect(status_of(page, student)).to_have_text("Present")


def test_it_says_when_access_has_ended(
    class_session: ClassSession, course: Course, teacher: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session), refusals=True)
    wait_live(page)
    CourseTeacher.objects.filter(user=teacher).delete()
    expect(said(page)).to_have_text(re.compile(r"Access has ended \(\d\d:\d\d:\d\d\)"))


def test_it_stops_asking_when_the_handshake_is_refused(
    cable: Cable, page: Page, class_session: ClassSession
) -> None:
    page.goto(live_path(class_session))
    wait_live(page)
    hold_time(page)
    cable.pull()
    expect(said(page)).to_have_text("Catching up…")
    Session.objects.all().delete()
    cable.plug_in()
    cable.run_until_tried()
    expect(said(page)).to_have_text(re.compile("Access has ended"))
    tries = len(cable.handshakes)
    page.clock.run_for(60_000)
    assert len(cable.handshakes) == tries
