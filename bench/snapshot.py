"""A class session's snapshot over the socket: in the server, and from outside."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from channels.testing import WebsocketCommunicator

from attendance.services.marking import mark_in_bulk
from bench import school
from bench.figures import Row, Section, Spread
from bench.inside import be_a_worker
from bench.lab import Lab
from bench.sites import production
from bench.wire import Screen, client_frame, handshake

STUDENTS = 300
TIMES = 50
GOAL_MS = 8.0
# Ahead of any database: answered by a snapshot.
AHEAD = {"type": "resync", "after": 10**9}
RESYNC = client_frame(AHEAD)
PING = client_frame({"type": "ping"})
REASON = (
    "*The live page* has what reading it and making JSON of it takes by themselves; "
    "the rest is the question before, and twice the way to a thread and back."
)


def run(lab: Lab) -> Section:
    lab.fresh_database()
    be_a_worker()
    made = school.make_school(STUDENTS)
    mark_in_bulk(
        class_session=made.class_session,
        actor=made.teacher,
        operation="mark_present",
        student_ids=[student.pk for student in made.students[::2]],
        reason="seen",
    )
    (headers,) = school.bearer_headers([made.teacher])
    path = f"/ws/class-sessions/{made.class_session.pk}/"
    inside: list[float] = []
    outside: list[float] = []
    pings: list[float] = []
    with production(lab) as site, asyncio.Runner() as runner:
        screen = Screen(site.live.port, handshake(path, headers))
        screen.next()
        socket = runner.run(_open(path, headers))
        for _ in range(lab.rounds):
            inside.append(runner.run(_milliseconds_inside(socket)))
            outside.append(_milliseconds(screen, RESYNC, b"snapshot"))
            pings.append(_milliseconds(screen, PING, b"heartbeat"))
        runner.run(socket.disconnect())
        screen.socket.close()
    found = Spread.of(inside, "ms")
    met = found.median <= GOAL_MS
    return Section(
        "The snapshot over the socket",
        [
            Row(
                f"snapshot of {STUDENTS} rows, in the server",
                found,
                f"≤ {GOAL_MS:g} ms",
                met,
                reason="" if met else REASON,
            ),
            Row(
                f"snapshot of {STUDENTS} rows, from outside",
                Spread.of(outside, "ms"),
                "for information",
                True,
                against="a heartbeat on demand",
                limit=Spread.of(pings, "ms"),
            ),
        ],
        [
            "In the server: the stream's consumer in this process, from the client's "
            "resync to the frame that is handed to the server; question whether "
            "messages would do, reading, JSON and threads are in it. From outside: "
            "daphne in a process of its own, from the resync to the snapshot's last "
            "byte, so the network, the client and their turns on two cores are in it, "
            f"too. Each is the median of {TIMES} in a round, with half of the rows "
            "marked. The heartbeat is the same way from outside with a single query."
        ],
    )


async def _open(path: str, headers: dict[str, str]) -> Any:
    """The consumer behind a socket that has had its first frame."""
    from realtime.routing import websocket_application

    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    socket = WebsocketCommunicator(websocket_application, path, sent)
    connected, _ = await socket.connect(timeout=10)
    if not connected:
        raise RuntimeError("the stream refuses its teacher")
    await _next_snapshot(socket)
    return socket


async def _milliseconds_inside(socket: Any) -> float:
    """How long the consumer takes for a snapshot, at the median."""
    took: list[float] = []
    while len(took) < TIMES:
        begun = time.monotonic()
        await socket.send_json_to(AHEAD)
        await _next_snapshot(socket)
        took.append(time.monotonic() - begun)
    return statistics.median(took) * 1000


async def _next_snapshot(socket: Any) -> None:
    while '"snapshot"' not in (await socket.receive_from(timeout=10))[:40]:
        pass


def _milliseconds(screen: Screen, request: bytes, answer: bytes) -> float:
    """How long the answer takes, at the median."""
    took: list[float] = []
    while len(took) < TIMES:
        sent = time.monotonic()
        screen.socket.sendall(request)
        while answer not in screen.next()[:40]:
            pass
        took.append(time.monotonic() - sent)
    return statistics.median(took) * 1000
