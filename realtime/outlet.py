"""
The socket below a stream: back-pressure in both directions, closing, and a stop.

ASGI under daphne knows none. A send never waits, so whatever a client does not read
piles up in the server, and so do the frames that it sends faster than they are handled.
Twisted tells a registered producer when a transport's buffer is full and when it has
drained, and a transport can be told to stop reading: this does both.

On a stop daphne ends the applications and cuts the lines. Here every socket is closed
properly before that, with the time after which its client should connect again.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from realtime.encoding import Encoded
from realtime.messages import CLOSE_RESTART, MAX_FRAME_BYTES, return_after

# Its stubs take methods for functions without a self.
reactor: Any = _reactor

# Small enough that a stalled reader is noticed after a few hundred rows.
SEND_BUFFER_BYTES = 128 * 1024
# Long enough that a reader who wakes up still learns why the socket was closed.
CLOSE_HANDSHAKE_SECONDS = 30
# How long a stopping server waits for its clients' answers to the closing.
FAREWELL_SECONDS = 1.0
# Over what time clients come back: a handful soon, a thousand over ten seconds.
RETURN_WITHIN_MS = 500
RETURN_WITHIN_MS_PER_SOCKET = 10


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
        # For fragmented messages. autobahn's sendMessage is bound by it too, which is
        # one more reason not to send by that; see `send`.
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
        _farewell().add(self)

    @property
    def is_open(self) -> bool:
        """Whether frames may be sent: nobody has begun to close the socket."""
        if self._protocol is None:
            return True
        return bool(self._protocol.state == WebSocketProtocol.STATE_OPEN)

    @property
    def closed(self) -> Deferred[Any]:
        """Called back when the connection has gone."""
        closed: Deferred[Any] = self._protocol.is_closed
        return closed

    def send(self, frame: Encoded) -> bool:
        """
        Send a frame, the same bytes to all sockets; False if not possible here.

        The usual way frames and checks the text anew for each of them, which takes
        longer than everything else (docs/decisions.md). Only while `is_open`.
        """
        if self._protocol is None:
            return False
        if frame.prepared is None:
            frame.prepared = self._protocol.factory.prepareMessage(
                frame.text.encode(), doNotCompress=True
            )
        self._protocol.sendPreparedMessage(frame.prepared)
        return True

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


class _Farewell:
    """
    Closes all open sockets when the server stops, before daphne cuts the lines.

    daphne's own trigger for that came first and has cancelled the applications, which
    takes effect after this one. Nothing here relies on it: it breaks off at the first
    connection without an application, such as one that has sent half a request.
    """

    def __init__(self) -> None:
        self._outlets: weakref.WeakSet[Outlet] = weakref.WeakSet()
        self._within = 0
        reactor.addSystemEventTrigger("before", "shutdown", self._say)

    def add(self, outlet: Outlet) -> None:
        """Have it closed on a stop: at once, if it came too late for that."""
        self._outlets.add(outlet)
        if self._within:
            self._close(outlet)

    def _say(self) -> Deferred[Any]:
        """Close all; the stop goes on when the clients have answered, or soon."""
        outlets = [outlet for outlet in self._outlets if outlet.is_open]
        self._within = max(RETURN_WITHIN_MS, RETURN_WITHIN_MS_PER_SOCKET * len(outlets))
        for outlet in outlets:
            self._close(outlet)
        all_closed: Deferred[Any] = DeferredList(
            [outlet.closed for outlet in outlets], consumeErrors=True
        )
        # Whoever does not answer is not waited for.
        return all_closed.addTimeout(FAREWELL_SECONDS, reactor)

    def _close(self, outlet: Outlet) -> None:
        outlet.close(CLOSE_RESTART, return_after(random.randrange(self._within)))


@functools.cache
def _farewell() -> _Farewell:
    """Made with the first socket: then the server is daphne, and runs."""
    return _Farewell()
