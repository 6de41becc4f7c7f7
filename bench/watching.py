"""
Screens: WebSocket clients in a process of their own, and when each frame came.

    with watch(port, path, headers=[...]) as screens:
        ...
    frames = screens.frames

One thread, raw sockets and no more of the protocol than a screen needs, so that the
server is measured and not its clients. Times are of the monotonic clock, which all
processes of a machine share.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import pickle
import re
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.load import http_request

ROOT = Path(__file__).resolve().parents[1]
READY = b"ready\n"
# Of a frame's text this much is kept: enough for any message but a bulk change.
KEPT_BYTES = 1024
# Handshakes under way at a time, as of a hall that comes back.
CONNECTING = 20
_UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@dataclasses.dataclass(frozen=True)
class Frame:
    """What one screen got: `screen` is its number, `text` the frame's beginning."""

    screen: int
    at: float
    text: bytes

    @functools.cached_property
    def type(self) -> str:
        found = re.search(rb'"type": ?"(\w+)"', self.text)
        return found[1].decode() if found else ""

    @functools.cached_property
    def student_id(self) -> int | None:
        """Of whom a `student_joined` is."""
        found = re.search(rb'"student_id": ?(\d+)', self.text)
        return int(found[1]) if found and self.type == "student_joined" else None


class Screens:
    """Open screens; `frames` once they are closed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.frames: list[Frame] = []

    def close(self) -> None:
        """Have all screens closed, and take what they got."""
        out, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("the screens failed")
        self.frames = [Frame(*frame) for frame in pickle.loads(out)]


@contextlib.contextmanager
def watch(port: int, path: str, headers: Sequence[dict[str, str]]) -> Iterator[Screens]:
    """A screen for each of `headers`, all past their first frame."""
    requests = [http_request("GET", path, {**_UPGRADE, **sent}) for sent in headers]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.watching"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(pickle.dumps((port, requests)))
        process.stdin.flush()
        if process.stdout.readline() != READY:
            raise RuntimeError("the screens could not be opened")
        screens = Screens(process)
        yield screens
        screens.close()
    finally:
        process.kill()
        process.wait()


def allow_sockets(number: int) -> None:
    """Let this process, and those that it starts, have so many sockets open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))


def client_frame(content: Any) -> bytes:
    """A client's text frame: masked, with zeros."""
    text = json.dumps(content).encode()
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


class _Screen:
    def __init__(self, port: int, request: bytes, number: int) -> None:
        self.number = number
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        self.received = bytearray()
        self.is_open = False

    def take(self, data: bytes) -> Iterator[bytes]:
        """Add what was received; the beginnings of the text frames now whole."""
        self.received += data
        if not self.is_open:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.received.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"refused: {bytes(self.received[:80])!r}")
            self.is_open = True
            del self.received[: end + 4]
        while (frame := frame_in(self.received)) is not None:
            opcode, begin, end = frame
            content = bytes(self.received[begin : min(end, begin + KEPT_BYTES)])
            del self.received[:end]
            if opcode == 9:  # a ping; without an answer the server may hang up
                pong = bytes([0x8A, 0x80 | len(content)]) + bytes(4) + content
                self.socket.sendall(pong)
            elif opcode == 8:
                raise RuntimeError(f"the server closed a screen: {content!r}")
            else:
                yield content


def frame_in(received: bytearray) -> tuple[int, int, int] | None:
    """Opcode, begin and end of the payload of a server's first frame, if whole."""
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


def _run(port: int, requests: list[bytes]) -> list[tuple[int, float, bytes]]:
    """`screen`, `at` and `text` of each frame, until standard input ends."""
    allow_sockets(len(requests) + 50)
    frames: list[tuple[int, float, bytes]] = []
    poll = selectors.DefaultSelector()
    poll.register(sys.stdin.buffer, selectors.EVENT_READ)
    opened, awaited = 0, set[int]()
    told = False
    while True:
        while opened < len(requests) and len(awaited) < CONNECTING:
            screen = _Screen(port, requests[opened], opened)
            poll.register(screen.socket, selectors.EVENT_READ, screen)
            awaited.add(opened)
            opened += 1
        if not told and opened == len(requests) and not awaited:
            told = True
            sys.stdout.buffer.write(READY)
            sys.stdout.buffer.flush()
        for key, _ in poll.select():
            screen = key.data
            if screen is None:
                return frames
            data = screen.socket.recv(262144)
            at = time.monotonic()
            if not data:
                raise RuntimeError("the server hung up on a screen")
            for text in screen.take(data):
                frames.append((screen.number, at, text))
                awaited.discard(screen.number)


if __name__ == "__main__":
    port, requests = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(_run(port, requests)))
