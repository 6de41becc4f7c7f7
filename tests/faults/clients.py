"""Clients for one thread, held against the database after each step."""

from __future__ import annotations

from attendance import selectors
from attendance.models import User
from tests.faults.truth import as_record
from tests.live import Frame, Stream, fold


class Client:
    """
    A socket on a class session, and what a page makes of its frames.

    `state` is what it knows already, as `fold` leaves it; empty at first.
    """

    def __init__(self, stream: Stream, state: Frame) -> None:
        self.stream = stream
        self.state = state

    def open(self) -> None:
        """Take the first frame, which answers the question that connecting is."""
        frame = self.stream.receive()
        if frame["type"] == "heartbeat":
            assert frame["revision"] == self.state["revision"]
        else:
            self.state = fold(self.state, frame)

    def resync(self, after: int, state: Frame) -> None:
        """Ask for what follows revision `after`, at which `state` was known."""
        self.stream.send({"type": "resync", "after": after})
        self.state = state

    def require(self, expected: Frame, messages: list[Frame]) -> None:
        """Assert that a ping brings what is missing, and nothing but the truth."""
        for frame in frames_until_healed(self.stream, expected["revision"]):
            if frame["type"] == "snapshot":
                assert frame["revision"] >= self.state.get("revision", 0)
            else:
                assert frame == messages[frame["revision"] - 1]
            self.state = fold(self.state, frame)
        assert self.state == expected


class OwnClient:
    """A socket on a student's own stream; `state` has the records by their id."""

    def __init__(self, stream: Stream, student: User) -> None:
        self.stream = stream
        self.student = student
        self.state: dict[int, Frame] = {}

    def open(self) -> None:
        frame = self.stream.receive()
        assert frame["type"] == "snapshot"
        self._take(frame)

    def resync(self) -> None:
        self.stream.send({"type": "resync", "after": 0})

    def require(self) -> None:
        """Assert that a ping brings what is missing, and nothing twice."""
        for frame in frames_until_healed(self.stream, None):
            self._take(frame)
        records = selectors.newest_records_of(self.student)
        assert self.state == {record["id"]: record for record in records}

    def _take(self, frame: Frame) -> None:
        if frame["type"] == "snapshot":
            self.state = {record["id"]: record for record in frame["records"]}
            return
        (changed,) = frame["data"].get("records", [frame["data"]])
        known = self.state.get(changed["id"], {"version": 0})
        assert changed["version"] > known["version"], "shown twice or out of order"
        self.state[changed["id"]] = as_record(changed)


def frames_until_healed(stream: Stream, revision: int | None) -> list[Frame]:
    """
    Ping; all frames up to the heartbeat that tells `revision`, where one is given.

    A frame that means nothing goes before the ping: a heartbeat that was under way
    comes before its answer, and is not taken for the ping's. One that was only being
    made may come after it; the next one must be right.
    """
    stream.send("not JSON")
    stream.send({"type": "ping"})
    frames: list[Frame] = []
    answered = late = False
    while True:
        frame = stream.receive()
        if frame["type"] == "error":
            answered = True
        elif frame["type"] != "heartbeat":
            frames.append(frame)
        elif answered:
            if frame.get("revision") == revision:
                return frames
            assert not late, f"{frame} is not of revision {revision}"
            late = True
            stream.send({"type": "ping"})
