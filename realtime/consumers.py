"""The two streams: a class session's, and a student's own."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from attendance import events, selectors
from attendance.payloads import Payload
from realtime import authority, messages, metrics
from realtime.database import in_thread
from realtime.mailbox import Mail
from realtime.pulse import (
    NO_RECORDS,
    Reading,
    SessionBeat,
    SessionPulse,
    StudentsBeat,
    StudentsPulse,
    Totals,
    standings,
)
from realtime.stream import StreamConsumer

# More records than these behind: a snapshot is the shorter way.
HEALED_BY_MESSAGES = 5
# Messages of several web processes overtake each other. For so long the one that is
# missing may still come by itself, before it is looked up in the event table.
OVERTAKEN_SECONDS = 0.05
EARLY_MESSAGES = 50


class ClassSessionConsumer(StreamConsumer[SessionBeat]):
    """
    Streams one class session to a teacher, revision by revision.

    `_revision` is the last one that this connection has seen. The next one is sent on
    without a look at the database; a later one waits a moment for what it has
    overtaken, and then makes it read the event table.
    """

    stream_name = "class_session"
    pulse: SessionPulse
    _revision = 0
    # When it got there, by the clock of `Reading.begun`.
    _moved_at = 0.0

    def __init__(self) -> None:
        super().__init__()
        # By revision, those that came before the one that is next, which is `_gap`
        # while it is waited for.
        self._early: dict[int, Payload] = {}
        self._gap: int | None = None
        self._patience: asyncio.TimerHandle | None = None

    @property
    def class_session_id(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["class_session_id"])

    @property
    def pulse_name(self) -> str:
        return f"class-session.{self.class_session_id}"

    def make_pulse(self) -> SessionPulse:
        return SessionPulse(self.class_session_id)

    def authorize(self) -> bool:
        return bool(authority.watchers([self.credentials], self.class_session_id))

    def still_authorized(self, beat: SessionBeat) -> bool:
        return self.credentials in beat.watchers

    def first_groups(self) -> set[str]:
        return {events.class_session_group(self.class_session_id)}

    async def send_first(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", [""])[-1]
        # isdecimal alone would admit digits of other scripts.
        if after.isascii() and after.isdecimal() and len(after) < 19:
            await self._resume(int(after), "connect")
        else:
            await self._send_snapshot("connect")

    async def handle_mail(self, mail: Mail) -> None:
        if mail.overflowed:
            self._early.clear()
            await self._send_snapshot("overflow")
            self._be_patient()
            return
        for message in mail.messages:
            # BEAT_NOW has none: it is for the pulse.
            revision = message.get("revision", 0)
            if revision > self._revision:
                self._early[revision] = message
        await self._forward_early()
        if mail.hole or len(self._early) > EARLY_MESSAGES:
            self._early.clear()
            await self._catch_up(await self.pulse.reading(), "hole")
            await self._forward_early()

    async def _forward_early(self) -> None:
        """Send what need not wait any more, and have the rest wait for a moment."""
        while self._revision + 1 in self._early:
            await self._forward(self._early.pop(self._revision + 1))
        if self._early:
            # A snapshot or a replay may have brought what waited here.
            self._early = {r: m for r, m in self._early.items() if r > self._revision}
        self._be_patient()

    def _be_patient(self) -> None:
        """Have a gap noticed that is not filled soon; forget one that is no more."""
        gap = self._revision + 1 if self._early else None
        if gap == self._gap:
            return
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._gap = gap
        if gap is not None:
            assert self._mailbox is not None
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(OVERTAKEN_SECONDS, self._mailbox.mark_hole)

    async def handle_resync(self, after: int) -> None:
        await self._resume(after, "resync")
        await self._forward_early()

    async def _resume(self, after: int, cause: str) -> None:
        """Go on after that revision; `cause` is for the metrics, here and below."""
        if await in_thread(
            selectors.roster_changed_unsaid, self.class_session_id, after
        ):
            await self._send_snapshot(cause)
            return
        self._move_to(after)
        reading = await self.pulse.reading()
        if not await self._catch_up(reading, cause):
            await self._send_heartbeat(reading)

    async def handle_ping(self) -> None:
        reading = await self.pulse.reading()
        await self._catch_up(reading, "ping")
        await self._send_heartbeat(reading)
        await self._forward_early()

    async def handle_beat(self, beat: SessionBeat) -> None:
        await self._catch_up(beat.reading, "heartbeat")
        await self._send_heartbeat(beat.reading)
        await self._forward_early()

    def _move_to(self, revision: int) -> None:
        self._revision, self._moved_at = revision, time.monotonic()

    async def _forward(self, message: Payload) -> None:
        await self.push(message)
        self._move_to(message["revision"])
        if messages.needs_snapshot(message):
            await self._send_snapshot("opened")

    async def _catch_up(self, reading: Reading, cause: str) -> bool:
        """
        Send what is missing up to `reading`; say whether anything was sent.

        A snapshot instead, where the client lies ahead of the database or so far back
        that a snapshot is the shorter way.
        """
        if reading.revision == self._revision:
            return False
        if reading.revision < self._revision:
            if reading.begun < self._moved_at:
                return False  # a message of a later commit has overtaken the reading
            await self._send_snapshot(cause)
            return True
        missing = await self.pulse.missing(reading, self._revision)
        if missing:
            metrics.CATCH_UPS.labels(self.stream_name, cause).inc()
        for message in missing or ():
            # A snapshot sent on the way may already cover the rest.
            if message["revision"] == self._revision + 1:
                await self._forward(message)
        if self._revision < reading.revision:
            await self._send_snapshot(cause)
        return True

    async def _send_snapshot(self, cause: str) -> None:
        metrics.SNAPSHOTS.labels(self.stream_name, cause).inc()
        snapshot = await self.pulse.snapshot()
        await self.push(snapshot)
        self._move_to(snapshot["revision"])

    async def _send_heartbeat(self, reading: Reading) -> None:
        # Caught up, so this is the reading's revision, or that of a later commit which
        # was sent since: never above what was sent, never below what is known.
        await self.push(reading.heartbeat(self._revision))


class StudentConsumer(StreamConsumer[StudentsBeat]):
    """
    Streams a student's own records.

    `_versions` holds the newest version sent of each record; older ones that arrive
    late are left out. `_totals` are those of the records when they were last read.
    """

    stream_name = "student"
    pulse_name = "students"

    def __init__(self) -> None:
        super().__init__()
        self._versions: dict[int, int] = {}
        self._totals = NO_RECORDS

    def make_pulse(self) -> StudentsPulse:
        return StudentsPulse()

    def authorize(self) -> bool:
        standing = standings(frozenset({self.credentials})).get(self.credentials)
        if standing is None:
            return False
        self.user, self._courses = standing.user, standing.courses
        return True

    def still_authorized(self, beat: StudentsBeat) -> bool:
        return self.credentials in beat

    def first_groups(self) -> set[str]:
        return self._groups(self._courses)

    def _groups(self, courses: set[int]) -> set[str]:
        return {
            events.student_group(self.user.pk),
            *(events.course_students_group(course_id) for course_id in courses),
        }

    async def send_first(self) -> None:
        await self._send_snapshot(await self._read_records(), "connect")

    async def handle_mail(self, mail: Mail) -> None:
        if mail.overflowed:
            await self._send_snapshot(await self._read_records(), "overflow")
            return
        hole = mail.hole
        for message in mail.messages:
            if message == events.COURSES_CHANGED:
                courses = await in_thread(selectors.courses_of_students, [self.user.pk])
                await self.hear(self._groups(courses.get(self.user.pk, set())))
                hole = True
                continue
            reduced = events.reduced_for_student(message, self.user.pk)
            if reduced is not None:
                await self._forward(reduced)
        if hole:
            await self._heal("hole")

    async def handle_resync(self, after: int) -> None:
        # There are no revisions here; the snapshot is always the shorter way.
        await self._send_snapshot(await self._read_records(), "resync")

    async def handle_ping(self) -> None:
        totals = await in_thread(selectors.record_totals, [self.user.pk])
        await self._beat(totals.get(self.user.pk, NO_RECORDS), "ping")

    async def handle_beat(self, beat: StudentsBeat) -> None:
        standing = beat[self.credentials]
        self.user = standing.user
        await self.hear(self._groups(standing.courses))
        await self._beat(standing.totals, "heartbeat")

    async def _beat(self, totals: Totals, cause: str) -> None:
        if totals != self._totals:
            await self._heal(cause)
        await self.push(messages.STUDENT_HEARTBEAT)

    async def _forward(self, message: Payload) -> None:
        (record,) = message["data"].get("records", (message["data"],))
        if record["version"] > self._versions.get(record["id"], 0):
            self._versions[record["id"]] = record["version"]
            await self.push(message)

    async def _heal(self, cause: str) -> None:
        """Send what was missed: the messages themselves, if they are not too many."""
        records = await self._read_records()
        behind = [r for r in records if r["version"] > self._versions.get(r["id"], 0)]
        if not behind:
            return
        missed = None
        if len(behind) <= HEALED_BY_MESSAGES:
            missed = await in_thread(selectors.own_messages, self.user, behind)
        if missed is None:
            await self._send_snapshot(records, cause)
            return
        metrics.CATCH_UPS.labels(self.stream_name, cause).inc()
        for message in missed:
            await self._forward(message)

    async def _read_records(self) -> list[Payload]:
        def read() -> tuple[Totals, list[Payload]]:
            # In this order: a change in between is looked at once more, not missed.
            totals = selectors.record_totals([self.user.pk])
            records = selectors.newest_records_of(self.user)
            return totals.get(self.user.pk, NO_RECORDS), records

        self._totals, records = await in_thread(read)
        return records

    async def _send_snapshot(self, records: list[Payload], cause: str) -> None:
        metrics.SNAPSHOTS.labels(self.stream_name, cause).inc()
        for record in records:
            self._versions[record["id"]] = record["version"]
        await self.push(messages.student_snapshot(records))


class RefusingConsumer(AsyncWebsocketConsumer):
    """Refuses the handshake on every path that is no stream."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close()
