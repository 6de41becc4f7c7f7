"""Screens: clients with the browser's behaviour, which remember all that they saw."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from attendance.models import ClassSession
from tests.faults.truth import as_record
from tests.live import Frame, fold, session_path
from tests.servers import SiteServer

# As in static/js/stream.js, but for the longest delay: these have no night to spare.
FIRST_DELAY_SECONDS = 0.4
LONGEST_DELAY_SECONDS = 3.2
SILENCE_SECONDS = 12.5
RESTARTING = 1012
# A guard against hanging, for a loaded machine.
PATIENCE_SECONDS = 10.0


class OutOfOrder(Exception):
    """The server left something out; a browser connects again."""


class Screen:
    """
    One open page: it connects, reads, and connects again, until `Screens` ends.

    `frames` holds the frames of each connection, `codes` how each one ended.
    `duplicated` counts messages that a connection had before, `disordered` whatever
    else should not be: a hole, a step backwards, a heartbeat ahead of what was sent.
    """

    def __init__(self, owner: Screens, site: SiteServer, path: str, token: str) -> None:
        self.owner = owner
        self.site = site
        self.path = path
        self.token = token
        self.frames: list[list[Frame]] = []
        self.codes: list[int | None] = []
        self.duplicated = 0
        self.disordered = 0
        self.state: dict[Any, Any] = {}
        self._reads = asyncio.Event()
        self._reads.set()

    def query(self) -> str:
        """What the page appends to its address when it connects."""
        return ""

    def take(self, frame: Frame) -> None:
        """Show a frame. Raises OutOfOrder where one is missing before it."""
        raise NotImplementedError

    @property
    def frames_seen(self) -> int:
        return sum(len(frames) for frames in self.frames)

    def stop_reading(self) -> None:
        """Leave in the network what the server sends from now on."""
        self.owner.in_loop(self._reads.clear)

    def read_on(self) -> None:
        self.owner.in_loop(self._reads.set)

    async def run(self) -> None:
        attempts = 0
        while True:
            delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**attempts)
            delay *= random.uniform(0.5, 1)
            attempts += 1
            try:
                # Room for one frame: whoever does not read leaves it in the network.
                async with connect(
                    f"{self.site.ws_url}/ws/{self.path}{self.query()}",
                    additional_headers={"Authorization": f"Bearer {self.token}"},
                    proxy=None,
                    ssl=self.site.tls,
                    max_size=None,
                    max_queue=1,
                    close_timeout=1,
                    ping_interval=None,
                ) as connection:
                    self.frames.append([])
                    await self._read(connection)
            except ConnectionClosed as closed:
                if self.frames[-1]:
                    attempts = 0
                if closed.rcvd is not None and closed.rcvd.code == RESTARTING:
                    delay = int(closed.rcvd.reason or 0) / 1000
                self.codes.append(closed.rcvd.code if closed.rcvd else None)
            except (OSError, WebSocketException, TimeoutError, EOFError, OutOfOrder):
                self.codes.append(None)
            self.owner.changed()
            await asyncio.sleep(delay)

    async def _read(self, connection: ClientConnection) -> None:
        while True:
            await self._reads.wait()
            async with asyncio.timeout(SILENCE_SECONDS):
                frame = json.loads(await connection.recv())
            self.frames[-1].append(frame)
            try:
                self.take(frame)
            finally:
                self.owner.changed()


class SessionScreen(Screen):
    """A teacher's page; `state` is what it shows, as `fold` leaves it."""

    @property
    def revision(self) -> int:
        """What the page shows; 0 before its first frame."""
        revision: int = self.state.get("revision", 0)
        return revision

    def query(self) -> str:
        return f"?after={self.revision}" if self.state else ""

    def take(self, frame: Frame) -> None:
        kind, revision = frame["type"], frame["revision"]
        if kind == "heartbeat":
            ahead = revision > self.revision
        elif kind == "snapshot":
            ahead = revision < self.revision
        elif revision <= self.revision:
            # As in the browser: what is known already is passed over.
            self.duplicated += 1
            return
        else:
            ahead = revision > self.revision + 1
        if ahead:
            self.disordered += 1
            raise OutOfOrder
        if kind != "heartbeat":
            self.state = fold(self.state, frame)

    def shown(self) -> set[int]:
        """The revisions that it was shown, alone or within a snapshot."""
        revisions: set[int] = set()
        for frame in self.all_frames():
            if frame["type"] == "snapshot":
                revisions.update(range(1, frame["revision"] + 1))
            else:
                revisions.add(frame["revision"])
        return revisions

    def all_frames(self) -> list[Frame]:
        """The frames of all connections, without heartbeats."""
        frames = (frame for connection in self.frames for frame in connection)
        return [frame for frame in frames if frame["type"] != "heartbeat"]


class OwnScreen(Screen):
    """A student's own page; `state` has the student's records by their id."""

    def __init__(self, owner: Screens, site: SiteServer, token: str) -> None:
        super().__init__(owner, site, "me/", token)

    def take(self, frame: Frame) -> None:
        if frame["type"] == "heartbeat":
            return
        if frame["type"] == "snapshot":
            self.state = {record["id"]: record for record in frame["records"]}
            return
        # `records` of a bulk change is reduced to the one.
        (changed,) = frame["data"].get("records", [frame["data"]])
        known = self.state.get(changed["id"], {"version": 0})
        if changed["version"] <= known["version"]:
            self.duplicated += 1
            return
        self.state = {**self.state, changed["id"]: as_record(changed)}


class Screens:
    """
    Screens that watch side by side, all in one thread with one event loop.

    Used as a context manager: leaving it closes their sockets and ends the thread.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="screens")
        self._tasks: list[Any] = []
        self._changed = threading.Condition()
        self.teachers: list[SessionScreen] = []
        self.students: list[OwnScreen] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def watch(
        self, site: SiteServer, class_session: ClassSession, token: str
    ) -> SessionScreen:
        """Open a class session's page at that process of the site."""
        screen = SessionScreen(self, site, session_path(class_session), token)
        self.teachers.append(screen)
        self._open(screen)
        return screen

    def watch_own(self, site: SiteServer, token: str) -> OwnScreen:
        """Open the page of a student's own attendance."""
        screen = OwnScreen(self, site, token)
        self.students.append(screen)
        self._open(screen)
        return screen

    @property
    def all(self) -> list[Screen]:
        return [*self.teachers, *self.students]

    def _open(self, screen: Screen) -> None:
        self._tasks.append(asyncio.run_coroutine_threadsafe(screen.run(), self._loop))

    def in_loop(self, call: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(call)

    def changed(self) -> None:
        """Have whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, revision: int, *screens: SessionScreen) -> None:
        """Wait until these screens show that revision."""
        self.wait_until(
            lambda: all(screen.revision >= revision for screen in screens),
            PATIENCE_SECONDS,
            f"{len(screens)} screens show revision {revision}",
        )

    def wait_until(
        self, condition: Callable[[], bool], seconds: float, what: str
    ) -> float:
        """Wait for a condition on what the screens show; how long it took."""
        began = time.monotonic()
        with self._changed:
            while not condition():
                left = began + seconds - time.monotonic()
                broken = [task.exception() for task in self._tasks if task.done()]
                assert not broken, f"a screen broke: {broken}"
                assert left > 0, f"after {seconds:g} s still not: {what}"
                self._changed.wait(left)
        return time.monotonic() - began
