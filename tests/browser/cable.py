"""A page's way to the server: cut, blocked or frozen; and a page's clock, held."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Error, Page, Request, Route, WebSocketRoute

from tests.browser.conftest import PATIENCE_MS

# Between a page's fetch() and the moment when the test hears of it lies the browser,
# which on a busy machine takes its time: so the page is asked what it waits for.
COUNT_FETCHES = """
const ask = window.fetch;
window.unanswered = 0;
window.fetch = (...all) => {
  window.unanswered += 1;
  return ask(...all).finally(() => (window.unanswered -= 1));
};
"""


class Cable:
    """
    What lies between a page and the server, which can be changed at any time.

    `sockets`: new ones "work", are "refused", or open and stay "silent". `http`:
    whether the API can be reached. `lose_messages`: so many vanish on the way. Every
    handshake, frame sent and poll is written down.
    """

    def __init__(self, page: Page) -> None:
        self.sockets = "work"
        self.http = True
        self.lose_messages = 0
        self.heard = 0
        self.handshakes: list[str] = []
        self.sent: list[str] = []
        self.polls: list[str] = []
        self._open: list[WebSocketRoute] = []
        self._passing: set[WebSocketRoute] = set()
        self._asked_for: set[Request] = set()
        self.page = page
        page.add_init_script(COUNT_FETCHES)
        page.on("request", lambda request: self._asked_for.add(request))
        page.on("requestfinished", lambda request: self._asked_for.discard(request))
        page.on("requestfailed", lambda request: self._asked_for.discard(request))
        page.route_web_socket("**/ws/**", self._plug)
        page.route("**/api/**", self._pass)

    def _plug(self, socket: WebSocketRoute) -> None:
        self.handshakes.append(socket.url)
        self._open.append(socket)
        if self.sockets == "refused":
            socket.close()
        elif self.sockets == "silent":
            # Having a handler is what makes it open without a server.
            socket.on_message(lambda message: None)
        else:
            self._wire(socket, socket.connect_to_server())

    def _wire(self, socket: WebSocketRoute, server: WebSocketRoute) -> None:
        self._passing.add(socket)

        def from_page(message: str | bytes) -> None:
            if socket in self._passing:
                self.sent.append(str(message))
                server.send(message)

        def from_server(message: str | bytes) -> None:
            if self.lose_messages and "timestamp" in json.loads(message):
                self.lose_messages -= 1
            elif socket in self._passing:
                socket.send(message)
                self.heard += 1

        socket.on_message(from_page)
        server.on_message(from_server)

    def _pass(self, route: Route) -> None:
        if "/events/" in route.request.url or "student=" in route.request.url:
            self.polls.append(route.request.url)
        if self.http:
            route.continue_()
        else:
            route.abort()

    def freeze(self) -> None:
        """The sockets of now stay open and never say anything again."""
        self._passing.clear()

    def pull(self) -> None:
        """Everything ends, and nothing begins."""
        self.sockets, self.http = "refused", False
        self.close()

    def plug_in(self) -> None:
        self.sockets, self.http = "work", True

    def run_until(self, happened: Callable[[], bool], seconds: int = 60) -> None:
        """Let the page's time pass, not faster than the network, until it happens."""
        for _ in range(seconds * 2):
            self.settle()
            if happened():
                return
            self.page.clock.run_for(500)
        says = self.page.locator("#connection-text").inner_text()
        raise AssertionError(
            f"nothing within {seconds} s of the page's time; it says {says!r}, "
            f"tried {self.handshakes} and polled {self.polls}"
        )

    def run_until_tried(self) -> None:
        """Let the page's time pass until it tries to connect."""
        tries = len(self.handshakes)
        self.run_until(lambda: len(self.handshakes) > tries)

    def poll_once(self, seconds: int = 20) -> None:
        """Let the page's time pass until it has polled, and got its answer."""
        polls = len(self.polls)
        self.run_until(lambda: len(self.polls) > polls, seconds)

    def settle(self) -> None:
        """Wait for what the page has asked for, and for the last byte of it."""
        wait_until(
            self.page,
            lambda: not self.page.evaluate("unanswered") and not self._asked_for,
        )

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """The server closes the sockets that are there."""
        for socket in self._open:
            socket.close(code=code, reason=reason)
        self._open.clear()


def wait_until(page: Page, happened: Callable[[], bool]) -> None:
    """Wait for the world outside the page, whose own time stands still."""
    for _ in range(PATIENCE_MS // 20):
        if happened():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it did not happen")


def hold_time(page: Page) -> None:
    """From here on time passes for the page only as `page.clock` is told."""
    try:
        page.clock.pause_at(now_of(page) + timedelta(seconds=1))
    except Error as error:
        # On a busy machine the moment may have passed before the page heard of it.
        # The clock has stopped all the same, so that the next one has not.
        if "to the past" not in error.message:
            raise
        page.clock.pause_at(now_of(page) + timedelta(seconds=1))


def now_of(page: Page) -> datetime:
    """The page's wall clock."""
    return datetime.fromtimestamp(page.evaluate("Date.now()") / 1000, UTC)
