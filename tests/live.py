"""Watching the live stream from outside: real sockets to real servers.

`Stream` is a client as somebody outside would write it; `fold` is what such a client
makes of the frames. `sites` are two processes of the site over one Redis.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from attendance.models import ClassSession, User
from tests.cast import token_of
from tests.servers import SiteServer

Frame = dict[str, Any]

# Far above what a frame takes, far below the 10 s of a heartbeat that might heal.
PATIENCE = 5.0
# With a heartbeat every second, as most tests have it.
HEALING = 8.0
FAST_HEARTBEAT = {"ATTENDANCE_HEARTBEAT_SECONDS": "1"}
RECORD_FIELDS = (
    "id",
    "student_id",
    "student_name",
    "class_session_id",
    "class_name",
    "attendance_status",
    "check_in_time",
    "is_late",
    "late_minutes",
    "verification_method",
    "is_manual_override",
    "override_reason",
    "notes",
    "version",
)


class Stream:
    """One socket. Heartbeats are passed over unless asked for."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def receive(self, timeout: float = PATIENCE) -> Frame:
        """The next frame, of whatever kind."""
        frame: Frame = json.loads(self.connection.recv(timeout=timeout))
        return frame

    def next(self, timeout: float = PATIENCE) -> Frame:
        """The next frame that is not a heartbeat."""
        while True:
            frame = self.receive(timeout)
            if frame["type"] != "heartbeat":
                return frame

    def until(self, revision: int, timeout: float = PATIENCE) -> list[Frame]:
        """All frames but heartbeats up to and including that revision."""
        frames: list[Frame] = []
        while not frames or frames[-1]["revision"] < revision:
            frames.append(self.next(timeout))
        return frames

    def heartbeat(self, timeout: float = 12) -> Frame:
        """The next heartbeat; anything else on the way is passed over."""
        while True:
            frame = self.receive(timeout)
            if frame["type"] == "heartbeat":
                return frame

    def send(self, frame: Any) -> None:
        """Send a frame: JSON, unless it is text or bytes already."""
        raw = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        self.connection.send(raw)

    def close_code(self, timeout: float = 12) -> int | None:
        """Read until the server closes; its close code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.connection.recv(timeout=timeout)
        return self.connection.protocol.close_code

    @property
    def close_reason(self) -> str:
        """The reason that came with the close code."""
        return self.connection.protocol.close_reason or ""


@contextlib.contextmanager
def open_stream(
    site: SiteServer,
    path: str,
    *,
    user: User | None = None,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> Iterator[Stream]:
    """A socket at `path` below /ws/, with a new token of `user` if one is given."""
    sent = dict(headers or {})
    if user is not None:
        sent["Authorization"] = f"Bearer {token_of(user)}"
    options.setdefault("max_size", None)
    with connect(
        f"{site.ws_url}/ws/{path}",
        additional_headers=sent,
        proxy=None,
        ssl=site.tls,
        **options,
    ) as connection:
        yield Stream(connection)


@contextlib.contextmanager
def raw_stream(site: SiteServer, path: str, user: User) -> Iterator[socket.socket]:
    """A socket that answers nothing by itself, past its handshake."""
    with socket.create_connection(("127.0.0.1", site.port)) as raw:
        raw.sendall(
            f"GET /ws/{path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Authorization: Bearer {token_of(user)}\r\n\r\n".encode()
        )
        assert raw.recv(12) == b"HTTP/1.1 101"
        yield raw


def session_path(class_session: ClassSession, query: str = "") -> str:
    return f"class-sessions/{class_session.pk}/{query}"


def handshake_status(
    site: SiteServer,
    path: str,
    user: User | None = None,
    headers: dict[str, str] | None = None,
) -> int:
    """The HTTP status that answers the handshake: 101 where it is accepted."""
    try:
        with open_stream(site, path, user=user, headers=headers):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def post(
    site: SiteServer, path: str, body: Any, *, token: str, timeout: float = 30
) -> tuple[int, Any]:
    """
    POST to the API of a running site: status and body.

    `timeout` bounds each step, in seconds. Raises OSError or HTTPException where
    there is no answer.
    """
    connection = site.connect(timeout)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def fold(state: Frame, frame: Frame) -> Frame:
    """
    What a client knows after `frame`, as a snapshot with its records by student.

    Written from the contract, not from the code: it is the outside view.
    """
    if frame["type"] == "snapshot":
        return {
            "revision": frame["revision"],
            "class_session": frame["class_session"],
            "records": {r["student_id"]: r for r in frame["records"]},
        }
    assert frame["revision"] == state["revision"] + 1, "a hole in the sequence"
    data = frame["data"]
    records = dict(state["records"])
    class_session = state["class_session"]
    if frame["type"] == "session_update":
        class_session = data["class_session"]
    elif frame["type"] == "roster_update":
        record = data["record"]
        if data["event"] == "enrolled":
            records[record["student_id"]] = record
        else:
            del records[record["student_id"]]
    else:
        for record in data.get("records", [data]):
            records[record["student_id"]] = {f: record[f] for f in RECORD_FIELDS}
    counts = dict.fromkeys(class_session["counts"], 0) | {"enrolled": len(records)}
    for record in records.values():
        counts[record["attendance_status"]] += 1
    class_session = {
        **class_session,
        "revision": frame["revision"],
        "counts": counts,
    }
    return {
        "revision": frame["revision"],
        "class_session": class_session,
        "records": records,
    }


@pytest.fixture(scope="session")
def sites(django_db_setup: None) -> Iterator[tuple[SiteServer, SiteServer]]:
    """Two processes of the site, over the test's database and one Redis."""
    with (
        SiteServer(env=FAST_HEARTBEAT) as one,
        SiteServer(env=FAST_HEARTBEAT) as other,
    ):
        yield one, other


@pytest.fixture
def site(transactional_db: None, sites: tuple[SiteServer, SiteServer]) -> SiteServer:
    """One process of the site; what the test commits is there."""
    return sites[0]
