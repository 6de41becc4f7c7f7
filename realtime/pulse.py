"""
One heartbeat for all sockets that watch the same.

A pulse reads once an interval what a heartbeat says and who may still watch, and puts
it into the mailboxes of its sockets. So the number of queries does not grow with the
number of screens, and what several of them miss is read once as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from django.conf import settings

from attendance import events, selectors
from attendance.models import User
from attendance.payloads import Payload
from realtime import authority, messages, metrics
from realtime.authority import Credentials
from realtime.database import in_thread
from realtime.mailbox import Mailbox

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A hall of students is told in portions, so that they do not act in the same instant.
PORTION = 25
PORTION_PAUSE_SECONDS = 0.01


def _shared(read: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task for several to wait for; what it raises is theirs, if any are left."""
    task = asyncio.create_task(read)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


class Shared(Generic[T]):
    """
    A read that all who ask for it at the same time share.

    Whoever asks gets what was read after asking. One read is under way at a time, so
    the more ask, the more share.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What a read that begins from now on returns; raises what it raises."""
        if self._next is None:
            self._next = _shared(self._take_turn())
        # One who leaves must not take the read away from the others.
        return await asyncio.shield(self._next)

    async def _take_turn(self) -> T:
        async with self._turn:
            self._next = None
            return await in_thread(self._read)


class Pulse(Generic[T]):
    """
    Beats for its members every STREAM_HEARTBEAT_SECONDS, and when told to hurry.

    `read` is called in a thread with the members' credentials; what it returns is put
    into their mailboxes. Where it fails they are told of a fault. The pulse itself
    hears `groups`, where BEAT_NOW makes it hurry.
    """

    def __init__(
        self, read: Callable[[frozenset[Credentials]], T], *groups: str
    ) -> None:
        self.members: dict[Mailbox, Credentials] = {}
        self.groups = groups
        self._read = read
        self._hurried = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def offer(self, message: Payload) -> None:
        """Hear a message of the groups."""
        if message == events.BEAT_NOW:
            self._hurried.set()

    def mark_hole(self) -> None:
        """Messages may be missing: an interval is soon enough for a lost BEAT_NOW."""

    def stop(self) -> None:
        """End the pulse."""
        self._task.cancel()

    async def _run(self) -> None:
        # Pulses that begin together, as after a restart, drift apart.
        pause = settings.STREAM_HEARTBEAT_SECONDS * random.uniform(0.5, 1)
        while True:
            due = time.monotonic() + pause
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurried.wait()
            self._hurried.clear()
            begun = time.monotonic()
            deadline = begun + settings.STREAM_HEARTBEAT_SECONDS
            await self._beat()
            metrics.HEARTBEAT_LAG.observe(time.monotonic() - min(due, begun))
            pause = max(0, deadline - time.monotonic())

    async def _beat(self) -> None:
        # Whoever joins while this is read was not asked about.
        members = dict(self.members)
        try:
            beat = await in_thread(self._read, frozenset(members.values()))
        except Exception:
            # Whatever it was, the members end with it and come back to see whether it
            # still holds; the pulse itself must go on for them.
            logger.exception("a heartbeat could not be read")
            for mailbox in members:
                mailbox.mark_fault()
            return
        for number, mailbox in enumerate(members, start=1):
            mailbox.offer_beat(beat)
            if number % PORTION == 0:
                await asyncio.sleep(PORTION_PAUSE_SECONDS)


# A class session's ------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A class session's state, read from the database at or after `begun`."""

    begun: float
    state: Payload
    _heartbeats: dict[int, Payload] = dataclasses.field(default_factory=dict)

    @property
    def revision(self) -> int:
        return int(self.state["revision"])

    def heartbeat(self, revision: int) -> Payload:
        """For those who have got to that revision: the same object for all of them."""
        if revision not in self._heartbeats:
            state = {**self.state, "revision": revision}
            self._heartbeats[revision] = messages.heartbeat(state)
        return self._heartbeats[revision]


@dataclasses.dataclass(frozen=True, slots=True)
class SessionBeat:
    """A reading, and who may still watch."""

    reading: Reading
    watchers: set[Credentials]


class SessionPulse(Pulse[SessionBeat]):
    """The heartbeat of one class session, and all that its sockets read together."""

    def __init__(self, class_session_id: int) -> None:
        super().__init__(self._read_beat, events.class_session_group(class_session_id))
        self._class_session_id = class_session_id
        self._state = Shared(self._read_state)
        self._snapshot = Shared(lambda: selectors.snapshot(class_session_id))
        self._missing_as_of: Reading | None = None
        self._missing: dict[int, asyncio.Task[list[Payload] | None]] = {}

    async def reading(self) -> Reading:
        """The state as it is now or later."""
        return await self._state.get()

    async def snapshot(self) -> Payload:
        """The snapshot as it is now or later."""
        return await self._snapshot.get()

    async def missing(self, reading: Reading, after: int) -> list[Payload] | None:
        """
        The messages after a revision, at least those up to `reading`.

        None where a snapshot is the shorter way. Sockets that are at the same revision
        share what is read; it is kept until the next beat.
        """
        if self._missing_as_of is not reading:
            self._missing_as_of, self._missing = reading, {}
        if after not in self._missing:
            read = in_thread(selectors.replay, self._class_session_id, after)
            self._missing[after] = _shared(read)
        return await asyncio.shield(self._missing[after])

    async def _beat(self) -> None:
        self._missing_as_of, self._missing = None, {}
        await super()._beat()

    def _read_state(self) -> Reading:
        begun = time.monotonic()
        return Reading(begun, selectors.stream_state(self._class_session_id))

    def _read_beat(self, credentials: frozenset[Credentials]) -> SessionBeat:
        # In this order: nobody may watch a session that is deleted in between.
        reading = self._read_state()
        watchers = authority.watchers(credentials, self._class_session_id)
        return SessionBeat(reading, watchers)


# The students' ----------------------------------------------------------------------

Totals = tuple[int, int]
NO_RECORDS: Totals = (0, 0)


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """Who a student is, which courses to hear, and how many records in which state."""

    user: User
    courses: set[int]
    totals: Totals


StudentsBeat = dict[Credentials, Standing]


class StudentsPulse(Pulse[StudentsBeat]):
    """The heartbeat of all students' own streams in this process."""

    def __init__(self) -> None:
        super().__init__(standings)


def standings(credentials: frozenset[Credentials]) -> StudentsBeat:
    """The standing of each student whose credentials still hold."""
    users = authority.authenticated_users(credentials)
    ids = {user.pk for user in users.values()}
    courses = selectors.courses_of_students(ids)
    totals = selectors.record_totals(ids)
    return {
        c: Standing(user, courses.get(user.pk, set()), totals.get(user.pk, NO_RECORDS))
        for c, user in users.items()
    }
