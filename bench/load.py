"""
The load generator: HTTP requests written beforehand, over kept connections.

    answers = load(port, requests, clients=50)
    answers = load(port, requests, clients=50, rate=40)
    answers = load(port, requests, clients=50, arrivals=[0.0, 0.1, 0.7])

A process of its own with one thread and no library in between, so that it takes as
little as possible of the machine that it measures. Times are of the monotonic clock,
which all processes of a machine share.
"""

from __future__ import annotations

import dataclasses
import pickle
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """`due`: when it was to be sent; `status` 0: the connection broke."""

    due: float
    sent: float
    done: float
    status: int

    @property
    def seconds(self) -> float:
        """From when it was due, so that a queue that builds up counts."""
        return self.done - self.due


class Load:
    """A running load; `result` waits for its end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def result(self) -> list[Answer]:
        out, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("the load generator failed")
        return [Answer(*times) for times in pickle.loads(out)]


def start_load(
    port: int,
    requests: Sequence[bytes],
    *,
    clients: int,
    rate: float | None = None,
    arrivals: Sequence[float] | None = None,
) -> Load:
    """
    Send all `requests` over `clients` connections, each as soon as one is free.

    With `rate`, no more than so many a second, evenly; with `arrivals`, each no sooner
    than so many seconds after the start (ascending, one for each request).
    """
    if rate is not None:
        arrivals = [number / rate for number in range(len(requests))]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(pickle.dumps((port, list(requests), clients, arrivals)))
    process.stdin.close()
    process.stdin = None
    return Load(process)


def load(
    port: int,
    requests: Sequence[bytes],
    *,
    clients: int,
    rate: float | None = None,
    arrivals: Sequence[float] | None = None,
) -> list[Answer]:
    """`start_load`, and wait for the answers, in the order of `requests`."""
    running = start_load(port, requests, clients=clients, rate=rate, arrivals=arrivals)
    return running.result()


def http_request(
    method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection:
    def __init__(self, port: int) -> None:
        self.port = port
        self.index = -1
        self.times = (0.0, 0.0)
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.length = -1

    def take(self, data: bytes) -> int | None:
        """Add what was received; the status, once the answer is whole."""
        self.received += data
        if self.length < 0:
            head, found, _ = self.received.partition(b"\r\n\r\n")
            if not found:
                return None
            fields = head.lower().split(b"\r\ncontent-length:", 1)
            size = int(fields[1].split(b"\r\n", 1)[0]) if len(fields) == 2 else 0
            self.length = len(head) + 4 + size
        if len(self.received) < self.length:
            return None
        status = int(self.received[9:12])
        self.received, self.length = b"", -1
        return status


def _run(
    port: int, requests: list[bytes], clients: int, arrivals: Sequence[float] | None
) -> list[tuple[float, float, float, int]]:
    """`due`, `sent`, `done` and `status` of each: what makes an `Answer`."""
    answers = [(0.0, 0.0, 0.0, 0)] * len(requests)
    # Opened when first needed, as by a browser or a proxy: a connection that says
    # nothing holds a thread of gunicorn's for five seconds.
    free: list[_Connection] = []
    opened = 0
    poll = selectors.DefaultSelector()
    begun = time.monotonic()
    upcoming, done = 0, 0
    while done < len(requests):
        now = time.monotonic()
        wait = 5.0
        while upcoming < len(requests):
            due = begun + arrivals[upcoming] if arrivals else now
            if due > now:
                wait = due - now
                break
            if free:
                connection = free.pop()
            elif opened < clients:
                connection = _Connection(port)
                poll.register(connection.socket, selectors.EVENT_READ, connection)
                opened += 1
            else:
                break
            connection.index, upcoming = upcoming, upcoming + 1
            connection.times = (due, time.monotonic())
            connection.socket.sendall(requests[connection.index])
        for key, _ in poll.select(wait):
            connection = key.data
            try:
                data = connection.socket.recv(65536)
            except OSError:
                data = b""
            status = connection.take(data) if data else 0
            if status is None:
                continue
            if connection.index >= 0:
                due, sent = connection.times
                answers[connection.index] = (due, sent, time.monotonic(), status)
                connection.index = -1
                done += 1
                free.append(connection)
            if not data:
                poll.unregister(connection.socket)
                connection.socket.close()
                connection.open()
                poll.register(connection.socket, selectors.EVENT_READ, connection)
    return answers


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(_run(*pickle.load(sys.stdin.buffer))))
