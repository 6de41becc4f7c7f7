"""What both streams share: one writer, heartbeats, authority, slow readers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from attendance.payloads import Payload
from realtime import authority, messages
from realtime.database import in_thread
from realtime.hub import Mailbox, current_hub
from realtime.outlet import Outlet

logger = logging.getLogger(__name__)


class _Gone(Exception):
    """The stream has been closed while something was about to be sent."""


class StreamConsumer(AsyncWebsocketConsumer):
    """
    A stream that sends what its mailbox gets, and heals itself at every heartbeat.

    Subclasses say who may watch (`authorized`), which groups to hear (`groups_now`),
    what to send first (`send_first`), and how to treat messages and heartbeats.
    """

    # No layer of its own: the hub listens for all sockets of the process.
    channel_layer_alias = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mailbox: Mailbox | None = None
        self._joined: set[str] = set()
        self._pump: asyncio.Task[None] | None = None
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

    def authorized(self) -> bool:
        """Whether the credentials may watch this now (called in a thread)."""
        raise AssertionError("a stream says who may watch")

    def groups_now(self) -> set[str]:
        """The groups to hear (called in a thread)."""
        raise AssertionError("a stream says which groups it hears")

    async def send_first(self) -> None:
        """Send the first frame."""
        raise AssertionError("a stream has a first frame")

    async def handle_messages(self, found: list[Payload], lost: bool) -> None:
        """Send what came; with `lost`, some is missing and to be read."""
        raise AssertionError("a stream handles messages")

    async def handle_resync(self, after: int) -> None:
        """Answer a client's resync."""
        raise AssertionError("a stream answers a resync")

    async def beat(self) -> None:
        """Send whatever is missing, then a heartbeat."""
        raise AssertionError("a stream has a heartbeat")

    # The life of a socket -------------------------------------------------------

    async def connect(self) -> None:
        credentials = authority.credentials_of(self.scope)
        if credentials is None:
            await self.close()
            return
        self.credentials = credentials
        if not await in_thread(self.authorized):
            await self.close()
            return
        self._mailbox = Mailbox()
        await self.join_groups()
        await self.accept()
        self._outlet.open()
        self._pump = asyncio.create_task(self._run())

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
                answer = self.handle_resync(frame.after)
            else:
                answer = self.beat()
        async with self._sending:
            await answer

    async def push(self, frame: Payload) -> None:
        """Send one frame, unless the client has long stopped reading."""
        if not await self._outlet.wait_writable(settings.STREAM_UNREAD_SECONDS):
            await self.end(messages.CLOSE_NOT_READING)
            raise _Gone
        text = json.dumps(frame, separators=(",", ":"))
        with self._outlet.sending():
            await self.send(text_data=text)

    async def end(self, code: int) -> None:
        """Close the stream from this side."""
        self._ended = True
        if code >= 3000 or not self._outlet.close(code):
            await self.close(code)

    async def _run(self) -> None:
        """Send the first frame, then what comes, with heartbeats in between."""
        assert self._mailbox is not None
        try:
            async with self._sending:
                await self.send_first()
            # Spread out, so that a hall of sockets does not ask in the same instant.
            now = asyncio.get_running_loop().time
            pause = settings.STREAM_HEARTBEAT_SECONDS
            deadline = now() + pause * random.uniform(0.5, 1)
            while True:
                # Only the waiting is cut short, never the sending.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(deadline):
                        await self._mailbox.wait()
                async with self._sending:
                    await self.handle_messages(*self._mailbox.take())
                if now() < deadline:
                    continue
                deadline = now() + pause
                if not await in_thread(self.authorized):
                    await self.end(messages.CLOSE_FORBIDDEN)
                    return
                await self.join_groups()
                async with self._sending:
                    await self.beat()
        except _Gone:
            return
        except Exception:
            # Nobody awaits this task: without this a fault would leave a socket that
            # looks alive and says nothing. The client connects again.
            logger.exception("the stream %s broke", self.scope["path"])
            await self.end(messages.CLOSE_FAULT)

    async def join_groups(self) -> None:
        """Listen to the groups of now, and no longer to those of before."""
        assert self._mailbox is not None
        wanted = await in_thread(self.groups_now)
        joining, leaving = wanted - self._joined, self._joined - wanted
        self._joined = wanted
        await current_hub().join(joining, self._mailbox)
        await current_hub().leave(leaving, self._mailbox)

    async def _leave(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            # Its outcome is known or of no interest; the rest must be done.
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._mailbox is not None:
            await current_hub().leave(self._joined, self._mailbox)
