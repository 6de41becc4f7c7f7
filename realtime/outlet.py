"""
The socket below a stream: back-pressure in both directions, and closing.

ASGI under daphne knows none. A send never waits, so whatever a client does not read
piles up in the server, and so do the frames that it sends faster than they are handled.
Twisted tells a registered producer when a transport's buffer is full and when it has
drained, and a transport can be told to stop reading: this does both.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable, Iterator
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from realtime.messages import MAX_FRAME_BYTES

# Small enough that a stalled reader is noticed after a few hundred rows.
SEND_BUFFER_BYTES = 128 * 1024
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
        # For fragmented messages; see `sending`.
        self._protocol.maxMessagePayloadSize = MAX_FRAME_BYTES
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

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """While something is sent: the limit for messages is for the client's."""
        if self._protocol is None:
            yield
            return
        self._protocol.maxMessagePayloadSize = 0
        try:
            yield
        finally:
            self._protocol.maxMessagePayloadSize = MAX_FRAME_BYTES

    @contextlib.contextmanager
    def handling(self) -> Iterator[None]:
        """While a frame is handled: read no more until those that are here are done."""
        if self._protocol is None:
            yield
            return
        self._protocol.transport.pauseProducing()
        try:
            yield
        finally:
            if self._protocol.application_queue.empty():
                self._protocol.transport.resumeProducing()

    def close(self, code: int, reason: str = "") -> bool:
        """
        Close with any code, the protocol's own (below 3000) too; False if that is not
        possible here. The usual way refuses those but 1000 (autobahn's sendClose), and
        drops the reason; daphne itself closes like this when an application breaks.
        """
        if self._protocol is None:
            return False
        self._protocol.sendCloseFrame(code=code, reasonUtf8=reason.encode())
        return True

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
