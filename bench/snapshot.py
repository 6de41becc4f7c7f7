"""A class session's snapshot over the socket: what it takes in the server."""

from __future__ import annotations

import statistics
import time

from attendance.services.marking import mark_in_bulk
from bench import school
from bench.figures import Row, Section, Spread
from bench.lab import Lab
from bench.sites import production
from bench.wire import Screen, client_frame, handshake

STUDENTS = 300
TIMES = 50
# Ahead of any database: answered by a snapshot.
RESYNC = client_frame({"type": "resync", "after": 10**9})
PING = client_frame({"type": "ping"})
# For where it is missed.
FROM_OUTSIDE = (
    "In the server alone, reading it and making JSON of it, it takes less than half of "
    "that (*The live page*). The rest is the way to a thread and back, the frame, "
    "and the client, which has to wait for one of the two cores."
)


def run(lab: Lab) -> Section:
    lab.fresh_database()
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
    snapshots, pings = [], []
    with production(lab) as site:
        screen = Screen(site.live.port, handshake(path, headers))
        screen.next()
        for _ in range(lab.rounds):
            snapshots.append(_milliseconds(screen, RESYNC, b"snapshot"))
            pings.append(_milliseconds(screen, PING, b"heartbeat"))
        screen.socket.close()
    found = Spread.of(snapshots, "ms")
    return Section(
        "The snapshot over the socket",
        [
            Row(
                f"snapshot of {STUDENTS} rows",
                found,
                "≤ 8 ms in the server",
                found.median <= 8,
                against="a heartbeat on demand",
                limit=Spread.of(pings, "ms"),
                reason="" if found.median <= 8 else FROM_OUTSIDE,
            )
        ],
        [
            "Measured from outside, so the network, the client and the question "
            "whether messages would do are in it: from the client's resync to the "
            f"snapshot's last byte, the median of {TIMES} in a round, with half of the "
            "rows marked. The heartbeat is the same way with a single query."
        ],
    )


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
