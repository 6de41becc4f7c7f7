"""The two streams: a class session's, and a student's own."""

from __future__ import annotations

from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from attendance import events, selectors
from attendance.models import Enrollment, User
from attendance.payloads import Payload
from realtime import authority, messages
from realtime.stream import StreamConsumer


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
            if not await self._send_missing(int(after)):
                await self._send_heartbeat()
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
        if not await self._send_missing(after):
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
        current, missing = await database_sync_to_async(self._read_missing)(after)
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
        snapshot = await database_sync_to_async(selectors.snapshot)(
            self.class_session_id
        )
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
        self._user = authority.authenticated_user(self.credentials)
        return self._user is not None

    @property
    def user(self) -> User:
        assert self._user is not None
        return self._user

    def groups_now(self) -> set[str]:
        courses = Enrollment.objects.filter(
            student=self.user, ended_at__isnull=True
        ).values_list("course_id", flat=True)
        return {
            events.student_group(self.user.pk),
            *(events.course_students_group(course_id) for course_id in courses),
        }

    async def send_first(self) -> None:
        await self._send_snapshot(await self._read_records())

    async def handle_messages(self, found: list[Payload], lost: bool) -> None:
        for message in found:
            reduced = events.reduced_for_student(message, self.user.pk)
            if reduced is None:
                continue
            (record,) = reduced["data"].get("records", (reduced["data"],))
            if record["version"] > self._versions.get(record["id"], 0):
                self._versions[record["id"]] = record["version"]
                await self.push(reduced)
        if lost:
            await self._heal()

    async def handle_resync(self, after: int) -> None:
        # There are no revisions here; the snapshot is always the shorter way.
        await self._send_snapshot(await self._read_records())

    async def beat(self) -> None:
        await self._heal()
        await self.push(messages.heartbeat())

    async def _heal(self) -> None:
        records = await self._read_records()
        if any(r["version"] > self._versions.get(r["id"], 0) for r in records):
            await self._send_snapshot(records)

    async def _read_records(self) -> list[Payload]:
        read = database_sync_to_async(selectors.newest_records_of)
        records: list[Payload] = await read(self.user)
        return records

    async def _send_snapshot(self, records: list[Payload]) -> None:
        for record in records:
            self._versions[record["id"]] = record["version"]
        await self.push(messages.student_snapshot(records))


class RefusingConsumer(AsyncWebsocketConsumer):
    """Refuses the handshake on every path that is no stream."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close()
