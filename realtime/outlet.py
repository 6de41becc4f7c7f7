"""
The writing side of a socket: how much the other end has yet to read.

An ASGI send to daphne never waits: whatever the client does not read piles up in the
server. Twisted tells a registered producer when a transport's buffer is full and when
it has drained; this listens, so that a stream can wait instead of piling up.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from realtime.messages import MAX_FRAME_BYTES

# Small enough that a stalled reader is noticed after a few hundred rows.
SEND_BUFFER_BYTES = 128 * 1024
# Above the largest snapshot there could be: 50,000 students.
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
# Long enough that a reader who wakes up still learns why the socket was closed.
CLOSE_HANDSHAKE_SECONDS = 30


@implementer(IPushProducer)
class Outlet:
    """Whether the socket takes more. Always, under a server other than daphne."""

    def __init__(self, send: Callable[..., Any]) -> None:
        self._writable = asyncio.Event()
        self._writable.set()
        protocol = send.args[0] if isinstance(send, functools.partial) else None
        self._protocol: Any = (
            protocol if isinstance(protocol, WebSocketProtocol) else None
        )
        if self._protocol is None:
            return
        self._protocol.maxFramePayloadSize = MAX_FRAME_BYTES
        # For fragmented messages; it holds for what we send, too.
        self._protocol.maxMessagePayloadSize = MAX_MESSAGE_BYTES
        self._protocol.closeHandshakeTimeout = CLOSE_HANDSHAKE_SECONDS
        # A frame that is too big is answered with a close code, not a cut line.
        self._protocol.failByDrop = False

    def open(self) -> None:
        """Begin to listen: once the handshake is answered."""
        if self._protocol is None:
            return
        transport = self._protocol.transport
        sock = getattr(transport, "socket", None)
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        # The HTTP channel that the socket was upgraded from is still registered.
        transport.unregisterProducer()
        transport.registerProducer(self, True)

    @property
    def is_full(self) -> bool:
        """Whether the transport's buffer is full."""
        return not self._writable.is_set()

    async def wait_writable(self, seconds: float) -> bool:
        """Wait until more can be sent; False when that takes longer than `seconds`."""
        if self._writable.is_set():
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._writable.wait()
        except TimeoutError:
            return False
        return True

    # Called by Twisted, in the thread of the event loop.

    def pauseProducing(self) -> None:
        self._writable.clear()

    def resumeProducing(self) -> None:
        self._writable.set()

    def stopProducing(self) -> None:
        # The connection is gone; whoever waits finds out from the disconnect.
        self._writable.set()
