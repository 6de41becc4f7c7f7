"""The live page says how current it is, and comes back by itself."""

from __future__ import annotations

import re

from django.contrib.sessions.models import Session
from playwright.sync_api import Route, WebSocketRoute, expect

from attendance import links
from attendance.models import ClassSession, Course, CourseTeacher, User
from attendance.services.check_in import check_in_by_token
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, status_of, wait_live


class Cable:
    """The socket's way to the server, which can be cut."""

    def __init__(self) -> None:
        self.cut = False
        self.sockets: list[WebSocketRoute] = []

    def route(self, socket: WebSocketRoute) -> None:
        if self.cut:
            socket.close()
            return
        socket.connect_to_server()
        self.sockets.append(socket)

    def pull(self) -> None:
        self.cut = True
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()


def test_it_catches_up_after_a_break(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    cable = Cable()
    page = open_page(teacher, "/courses/")
    page.route_web_socket("**/ws/**", cable.route)
    page.goto(live_path(class_session))
    wait_live(page)
    connection = page.locator("#connection")

    cable.pull()
    expect(connection).to_have_text("Reconnecting…")
    check_in_by_token(student=student, token=links.current_token(class_session))
    expect(status_of(page, student)).to_have_text("Unmarked")
    expect(connection).to_have_text(
        re.compile(r"Not up to date since \d\d:\d\d:\d\d\."), timeout=12_000
    )

    cable.cut = False
    # A person who looks at the page again need not wait for the next attempt.
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(connection).to_have_text("Live")
    expect(status_of(page, student)).to_have_text("Present")


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
    expect(page.locator("#connection")).to_have_text(re.compile("Access has ended"))


def test_it_stops_asking_when_the_handshake_is_refused(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    cable = Cable()
    page = open_page(teacher, "/courses/", refusals=True)
    page.route_web_socket("**/ws/**", cable.route)
    page.goto(live_path(class_session))
    wait_live(page)
    cable.pull()
    Session.objects.all().delete()
    cable.cut = False
    expect(page.locator("#connection")).to_have_text(re.compile("Access has ended"))
