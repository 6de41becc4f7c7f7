"""What both streams share: one writer, one mailbox, an end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Any, Generic, TypeVar

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from attendance.payloads import Payload
from realtime import authority, messages, metrics
from realtime.database import in_thread
from realtime.encoding import encoded
from realtime.hub import current_hub
from realtime.mailbox import Mail, Mailbox
from realtime.outlet import Outlet
from realtime.pulse import Pulse

logger = logging.getLogger(__name__)

B = TypeVar("B")


class _Gone(Exception):
    """The stream has been closed while something was about to be sent."""


class StreamConsumer(AsyncWebsocketConsumer, Generic[B]):
    """
    A stream that sends what its mailbox gets, and heals itself at every heartbeat.

    `B` is what its pulse puts into the mailbox. Subclasses say who may watch, which
    groups to hear, what to send first, and how to treat messages and heartbeats.
    """

    # Its name among the metrics.
    stream_name = ""
    # No layer of its own: the hub listens for all sockets of the process.
    channel_layer_alias = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mailbox: Mailbox | None = None
        self._joined: set[str] = set()
        self._pump: asyncio.Task[None] | None = None
        self._end_of_time: asyncio.TimerHandle | None = None
        self._ended = False
        # Held by whoever sends, so that frames keep the order of revisions.
        self._sending = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._outlet = Outlet(send)
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also when the server ends this application without a disconnect.
            await self._leave()

    # To be filled in ------------------------------------------------------------

    @property
    def pulse_name(self) -> str:
        """With whom to share a heartbeat."""
        raise AssertionError("a stream has a pulse")

    def make_pulse(self) -> Pulse[B]:
        """The pulse, when there is none of that name."""
        raise AssertionError("a stream has a pulse")

    def authorize(self) -> bool:
        """Whether the credentials may watch this now (called in a thread)."""
        raise AssertionError("a stream says who may watch")

    def still_authorized(self, beat: B) -> bool:
        """Whether they still might when `beat` was read."""
        raise AssertionError("a stream says who may watch")

    def first_groups(self) -> set[str]:
        """The groups to hear from the beginning."""
        raise AssertionError("a stream says which groups it hears")

    async def send_first(self) -> None:
        """Send the first frame."""
        raise AssertionError("a stream has a first frame")

    async def handle_mail(self, mail: Mail) -> None:
        """Send what came, and read what is missing of it."""
        raise AssertionError("a stream handles messages")

    async def handle_beat(self, beat: B) -> None:
        """Send whatever is missing, then a heartbeat."""
        raise AssertionError("a stream has a heartbeat")

    async def handle_resync(self, after: int) -> None:
        """Answer a client's resync."""
        raise AssertionError("a stream answers a resync")

    async def handle_ping(self) -> None:
        """As `handle_beat`, by what the database says now."""
        raise AssertionError("a stream answers a ping")

    # The life of a socket -------------------------------------------------------

    async def connect(self) -> None:
        credentials = authority.credentials_of(self.scope)
        if credentials is None:
            await self.close()
            return
        self.credentials = credentials
        if not await in_thread(self.authorize):
            await self.close()
            return
        self._mailbox = Mailbox()
        self.pulse = current_hub().pulse(self.pulse_name, self.make_pulse)
        self.pulse.members[self._mailbox] = credentials
        # Subscribe first, then read: what is said in between waits in the mailbox.
        await self.hear(self.first_groups())
        await self.accept()
        self._outlet.open()
        self._pump = asyncio.create_task(self._run())
        metrics.SOCKETS.labels(self.stream_name).inc()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        with self._outlet.handling(), contextlib.suppress(_Gone):
            if self._ended:
                return
            await self._answer(text_data if bytes_data is None else None)

    async def _answer(self, text: str | None) -> None:
        """Answer a client's frame; None stands for a binary one."""
        if text is not None and len(text.encode()) > messages.MAX_FRAME_BYTES:
            await self.end(messages.CLOSE_TOO_BIG)
            return
        try:
            frame = messages.parse_client_frame(text)
        except messages.MalformedFrame as error:
            answer = self.push(messages.malformed(str(error)))
        else:
            if isinstance(frame, messages.Resync):
                metrics.RESYNCS.labels(self.stream_name).inc()
                answer = self.handle_resync(frame.after)
            else:
                answer = self.handle_ping()
        async with self._sending:
            await answer

    async def push(self, frame: Payload) -> None:
        """Send one frame, unless the client has long stopped reading."""
        if self._ended:
            raise _Gone
        if not await self._outlet.wait_writable(settings.STREAM_UNREAD_SECONDS):
            await self.end(messages.CLOSE_NOT_READING)
            raise _Gone
        if not self._outlet.is_open:
            raise _Gone
        whole = encoded(frame)
        if not self._outlet.send(whole):
            await self.send(text_data=whole.text)
        metrics.FRAMES.labels(frame["type"]).inc()

    async def end(self, code: int, reason: str = "") -> None:
        """Close the stream from this side, if nobody has."""
        if self._ended:
            return
        self._ended = True
        metrics.CLOSES.labels(str(code)).inc()
        if not self._outlet.close(code, reason):
            await self.close(code, reason)

    async def _run(self) -> None:
        """Send the first frame, then what comes, until the stream's time is over."""
        assert self._mailbox is not None
        lifetime = settings.STREAM_LIFETIME_SECONDS * random.uniform(0.9, 1)
        loop = asyncio.get_running_loop()
        # One timer a socket, not one for each time that it waits.
        self._end_of_time = loop.call_later(lifetime, self._mailbox.expire)
        try:
            async with self._sending:
                await self.send_first()
            while await self._handle_next():
                pass
        except _Gone:
            return
        except Exception:
            # Nobody awaits this task: without this a fault would leave a socket that
            # looks alive and says nothing. The client connects again.
            logger.exception("the stream %s broke", self.scope["path"])
            await self.end(messages.CLOSE_FAULT)

    async def _handle_next(self) -> bool:
        """Wait for mail and handle it; False when the stream has ended."""
        assert self._mailbox is not None
        await self._mailbox.wait()
        mail = self._mailbox.take()
        if mail.expired:
            await self.end(messages.CLOSE_RESTART, messages.return_after(0))
            return False
        if mail.fault:
            await self.end(messages.CLOSE_FAULT)
            return False
        if mail.beat is not None and not self.still_authorized(mail.beat):
            await self.end(messages.CLOSE_FORBIDDEN)
            return False
        async with self._sending:
            await self.handle_mail(mail)
            if mail.beat is not None:
                await self.handle_beat(mail.beat)
        return True

    async def hear(self, wanted: set[str]) -> None:
        """Listen to these groups, and no longer to others."""
        assert self._mailbox is not None
        joining, leaving = wanted - self._joined, self._joined - wanted
        self._joined = wanted
        await current_hub().join(joining, self._mailbox)
        await current_hub().leave(leaving, self._mailbox)

    async def _leave(self) -> None:
        if self._pump is not None:
            metrics.SOCKETS.labels(self.stream_name).dec()
            self._pump.cancel()
            # Its outcome is known or of no interest; the rest must be done.
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._end_of_time is not None:
            self._end_of_time.cancel()
        if self._mailbox is not None:
            self.pulse.members.pop(self._mailbox, None)
            await current_hub().release_pulse(self.pulse_name)
            await current_hub().leave(self._joined, self._mailbox)
