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
import pickle
import re
import resource
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bench.wire import Screen, handshake

ROOT = Path(__file__).resolve().parents[1]
READY = b"ready\n"
# Handshakes under way at a time, as of a hall that comes back.
CONNECTING = 20


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
    def revision(self) -> int | None:
        found = re.search(rb'"revision": ?(\d+)', self.text)
        return int(found[1]) if found else None

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


def watch(
    port: int, path: str, headers: Sequence[dict[str, str]]
) -> AbstractContextManager[Screens]:
    """A screen for each of `headers`, all past their first frame."""
    return watch_each(port, [handshake(path, sent) for sent in headers])


@contextlib.contextmanager
def watch_each(
    port: int, requests: Sequence[bytes], arrivals: Sequence[float] | None = None
) -> Iterator[Screens]:
    """
    A screen for each of the handshakes, all past their first frame.

    With `arrivals` (ascending), each is opened so many seconds after the beginning, and
    nobody waits for it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.watching"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(pickle.dumps((port, list(requests), arrivals)))
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


def _run(
    port: int, requests: list[bytes], arrivals: Sequence[float] | None
) -> list[tuple[int, float, bytes]]:
    """`screen`, `at` and `text` of each frame, until standard input ends."""
    allow_sockets(len(requests) + 50)
    frames: list[tuple[int, float, bytes]] = []
    poll = selectors.DefaultSelector()
    poll.register(sys.stdin.buffer, selectors.EVENT_READ)
    opened, awaited = 0, set[int]()
    told = False
    begun = time.monotonic()
    while True:
        wait = None
        while opened < len(requests) and len(awaited) < CONNECTING:
            early = begun + arrivals[opened] - time.monotonic() if arrivals else 0
            if early > 0:
                wait = early
                break
            screen = Screen(port, requests[opened])
            poll.register(screen.socket, selectors.EVENT_READ, (opened, screen))
            awaited.add(opened)
            opened += 1
        if not told and (arrivals or opened == len(requests) and not awaited):
            told = True
            sys.stdout.buffer.write(READY)
            sys.stdout.buffer.flush()
        for key, _ in poll.select(wait):
            if key.data is None:
                return frames
            number, screen = key.data
            data = screen.socket.recv(262144)
            at = time.monotonic()
            for text in screen.take(data):
                frames.append((number, at, text))
                awaited.discard(number)


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(_run(*pickle.load(sys.stdin.buffer))))
