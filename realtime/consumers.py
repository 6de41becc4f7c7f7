"""The two streams: a class session's, and a student's own."""

from __future__ import annotations

from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from attendance import events, selectors
from attendance.models import Enrollment, User
from attendance.payloads import Payload
from realtime import authority, messages
from realtime.database import in_thread
from realtime.stream import StreamConsumer

# More records than these behind: a snapshot is the shorter way.
HEALED_BY_MESSAGES = 5


class ClassSessionConsumer(StreamConsumer):
    """
    Streams one class session to a teacher, revision by revision.

    `_revision` is the last one that this connection has seen. The next one is sent on
    without a look at the database; a later one makes it read the event table.
    """

    _revision = 0

    @property
    def class_session_id(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["class_session_id"])

    def authorized(self) -> bool:
        return authority.may_watch(self.credentials, self.class_session_id)

    def groups_now(self) -> set[str]:
        return {events.class_session_group(self.class_session_id)}

    async def send_first(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", [""])[-1]
        # isdecimal alone would admit digits of other scripts.
        if after.isascii() and after.isdecimal() and len(after) < 19:
            await self.handle_resync(int(after))
        else:
            await self._send_snapshot()

    async def handle_messages(self, found: list[Payload], lost: bool) -> None:
        for message in found:
            if message["revision"] == self._revision + 1:
                await self._forward(message)
            elif message["revision"] > self._revision:
                lost = True
        if lost:
            await self._send_missing(self._revision)

    async def handle_resync(self, after: int) -> None:
        if await in_thread(
            selectors.roster_changed_unsaid, self.class_session_id, after
        ):
            await self._send_snapshot()
        elif not await self._send_missing(after):
            await self._send_heartbeat()

    async def beat(self) -> None:
        await self._send_missing(self._revision)
        await self._send_heartbeat()

    async def _forward(self, message: Payload) -> None:
        await self.push(message)
        self._revision = message["revision"]
        if messages.needs_snapshot(message):
            await self._send_snapshot()

    async def _send_missing(self, after: int) -> bool:
        """
        Send what follows revision `after`; say whether anything was sent.

        A snapshot instead, where `after` lies ahead of the database or so far back
        that a snapshot is the shorter way.
        """
        current, missing = await in_thread(self._read_missing, after)
        if after > current or current > after + len(missing):
            await self._send_snapshot()
            return True
        self._revision = after
        for message in missing:
            # A snapshot sent on the way may already cover the rest.
            if message["revision"] > self._revision:
                await self._forward(message)
        return bool(missing)

    def _read_missing(self, after: int) -> tuple[int, list[Payload]]:
        current = selectors.current_revision(self.class_session_id) or 0
        if after >= current:
            return current, []
        return current, selectors.messages_after(self.class_session_id, after)

    async def _send_snapshot(self) -> None:
        snapshot = await in_thread(selectors.snapshot, self.class_session_id)
        await self.push(snapshot)
        self._revision = snapshot["revision"]

    async def _send_heartbeat(self) -> None:
        # After whatever was missing has been sent, so it is the database's.
        await self.push(messages.heartbeat(self._revision))


class StudentConsumer(StreamConsumer):
    """
    Streams a student's own records.

    `_versions` holds the newest version sent of each record; older ones that arrive
    late are left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._versions: dict[int, int] = {}
        self._user: User | None = None

    def authorized(self) -> bool:
        user = authority.authenticated_user(self.credentials)
        # The last one is kept: a frame may be under way while this is asked.
        self._user = user or self._user
        return user is not None

    @property
    def user(self) -> User:
        assert self._user is not None
        return self._user

    def groups_now(self) -> set[str]:
        # Ended enrollments too: the records of then may still be changed.
        courses = Enrollment.objects.filter(student=self.user).values_list(
            "course_id", flat=True
        )
        return {
            events.student_group(self.user.pk),
            *(events.course_students_group(course_id) for course_id in courses),
        }

    async def send_first(self) -> None:
        await self._send_snapshot(await self._read_records())

    async def handle_messages(self, found: list[Payload], lost: bool) -> None:
        for message in found:
            if message == events.COURSES_CHANGED:
                await self.join_groups()
                lost = True
                continue
            reduced = events.reduced_for_student(message, self.user.pk)
            if reduced is not None:
                await self._forward(reduced)
        if lost:
            await self._heal()

    async def handle_resync(self, after: int) -> None:
        # There are no revisions here; the snapshot is always the shorter way.
        await self._send_snapshot(await self._read_records())

    async def beat(self) -> None:
        await self._heal()
        await self.push(messages.heartbeat())

    async def _forward(self, message: Payload) -> None:
        (record,) = message["data"].get("records", (message["data"],))
        if record["version"] > self._versions.get(record["id"], 0):
            self._versions[record["id"]] = record["version"]
            await self.push(message)

    async def _heal(self) -> None:
        """Send what was missed: the messages themselves, if they are not too many."""
        records = await self._read_records()
        behind = [r for r in records if r["version"] > self._versions.get(r["id"], 0)]
        if len(behind) > HEALED_BY_MESSAGES:
            await self._send_snapshot(records)
        elif behind:
            for message in await in_thread(selectors.own_messages, self.user, behind):
                await self._forward(message)

    async def _read_records(self) -> list[Payload]:
        return await in_thread(selectors.newest_records_of, self.user)

    async def _send_snapshot(self, records: list[Payload]) -> None:
        for record in records:
            self._versions[record["id"]] = record["version"]
        await self.push(messages.student_snapshot(records))


class RefusingConsumer(AsyncWebsocketConsumer):
    """Refuses the handshake on every path that is no stream."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close()
