"""As much of the WebSocket protocol as a screen needs, over a raw socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

from bench.load import http_request

# Of a frame's text this much is kept: enough for any message but a bulk change.
KEPT_BYTES = 1024
_UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


def handshake(path: str, headers: dict[str, str]) -> bytes:
    """The request that opens a socket."""
    return http_request("GET", path, {**_UPGRADE, **headers})


def client_frame(content: Any) -> bytes:
    """A client's short text frame."""
    return _masked(_TEXT, json.dumps(content).encode())


class Screen:
    """One socket of a client. Raises RuntimeError where the server ends it."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        self._received = bytearray()
        self._is_open = False

    def next(self) -> bytes:
        """Wait for a whole text frame; its beginning."""
        while True:
            for text in self.take(self.socket.recv(262144)):
                return text

    def take(self, data: bytes) -> Iterator[bytes]:
        """Add what was received; the beginnings of the text frames now whole."""
        if not data:
            raise RuntimeError("the server hung up on a screen")
        self._received += data
        if not self._is_open:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._received.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"refused: {bytes(self._received[:80])!r}")
            self._is_open = True
            del self._received[: end + 4]
        while (frame := _whole_frame(self._received)) is not None:
            opcode, begin, end = frame
            content = bytes(self._received[begin : min(end, begin + KEPT_BYTES)])
            del self._received[:end]
            if opcode == _PING:  # unanswered, the server may hang up
                self.socket.sendall(_masked(_PONG, content))
            elif opcode == _CLOSE:
                raise RuntimeError(f"the server closed a screen: {content!r}")
            else:
                yield content


def _masked(opcode: int, content: bytes) -> bytes:
    """A client's frame; clients have to mask, and zeros are a mask."""
    assert len(content) < 126
    return bytes([0x80 | opcode, 0x80 | len(content)]) + bytes(4) + content


def _whole_frame(received: bytearray) -> tuple[int, int, int] | None:
    """Opcode, and where the payload begins and ends, of the first frame if whole."""
    if len(received) < 2:
        return None
    size, begin = received[1] & 0x7F, 2
    if size > 125:
        begin = 4 if size == 126 else 10
        if len(received) < begin:
            return None
        size = int.from_bytes(received[2:begin])
    end = begin + size
    return None if len(received) < end else (received[0] & 0x0F, begin, end)
