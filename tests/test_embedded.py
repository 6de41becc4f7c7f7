"""The one-process arrangement of `run.py serve`: SQLite, no broker, one daphne."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.live import PATIENCE, Stream
from tests.servers import SiteServer


class School:
    """The demo school of a site, driven through its API alone."""

    def __init__(self, site: SiteServer) -> None:
        self.site = site
        demo = json.loads(site.manage("seed_demo", "--json"))
        self.people = {p["id"]: p for p in demo["teachers"] + demo["students"]}
        self.course = max(demo["courses"], key=lambda c: len(c["student_ids"]))
        self.teacher = self.people[self.course["teacher_ids"][0]]
        self.students = [self.people[pk] for pk in self.course["student_ids"]]

    def call(
        self,
        method: str,
        path: str,
        person: dict[str, Any],
        body: Any = None,
        **headers: str,
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        headers = {
            "Authorization": f"Bearer {person['token']}",
            "Content-Type": "application/json",
            **headers,
        }
        try:
            connection.request(method, f"/api/v1/{path}", json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            connection.close()

    def open_session(self) -> dict[str, Any]:
        body = {"course_id": self.course["id"], "open": True}
        status, session = self.call("POST", "class-sessions/", self.teacher, body)
        assert status == 201
        return dict(session)

    def watch(self, session: dict[str, Any]) -> ClientConnection:
        """The teacher's stream of the class session."""
        return connect(
            f"{self.site.ws_url}/ws/class-sessions/{session['id']}/",
            additional_headers={"Authorization": f"Bearer {self.teacher['token']}"},
            proxy=None,
        )


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder: Path = tmp_path_factory.mktemp("embedded")
    env = {
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "REDIS_URL": "",
        "ATTENDANCE_VAR_DIR": str(folder),
        "ATTENDANCE_HEARTBEAT_SECONDS": "9",
    }
    site = SiteServer(env=env)
    site.manage("prepare_demo")
    with site:
        yield School(site)


def test_it_works(school: School) -> None:
    session = school.open_session()
    with school.watch(session) as connection:
        stream = Stream(connection)
        assert stream.next()["type"] == "snapshot"
        body = {"verification_code": session["verification_code"]}
        status, answer = school.call(
            "POST", "check-ins/code/", school.students[0], body
        )
        assert status == 201
        # Sooner than any heartbeat: the message itself came.
        joined = stream.next(timeout=PATIENCE)
        assert joined["data"]["id"] == answer["record"]["id"]


def test_a_client_ahead_of_any_database_gets_a_snapshot(school: School) -> None:
    session = school.open_session()
    with school.watch(session) as connection:
        stream = Stream(connection)
        assert stream.next()["type"] == "snapshot"
        stream.send({"type": "resync", "after": 10**30})
        ahead = stream.next(timeout=PATIENCE)
        assert (ahead["type"], ahead["revision"]) == ("snapshot", 1)


def test_a_heartbeat_comes_every_ten_seconds_at_the_longest_setting(
    school: School,
) -> None:
    session = school.open_session()
    with school.watch(session) as connection:
        stream = Stream(connection)
        assert stream.next()["type"] == "snapshot"
        for _ in range(2):
            assert stream.receive(10) == {"type": "heartbeat", "revision": 1}


def test_a_class_that_checks_in_at_once_gets_no_error(school: School) -> None:
    session = school.open_session()
    body = {"verification_code": session["verification_code"]}

    def check_in(student: dict[str, Any]) -> int:
        return school.call("POST", "check-ins/code/", student, body)[0]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(check_in, school.students))

    assert answers == [201] * len(school.students)
    _, roster = school.call(
        "GET", f"class-sessions/{session['id']}/roster/", school.teacher
    )
    assert roster["revision"] == 1 + len(school.students)
    assert roster["class_session"]["counts"]["present"] == len(school.students)


def test_a_request_with_a_key_is_answered_once(school: School) -> None:
    body = {"course_id": school.course["id"], "title": "Once"}
    key = {"Idempotency-Key": "on SQLite"}

    def create(_: int) -> tuple[int, Any]:
        return school.call("POST", "class-sessions/", school.teacher, body, **key)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(create, range(10)))
    # One writer at a time: nobody meets the first while it still runs.
    first = answers[0]
    assert answers == [first] * 10
    assert (first[0], first[1]["title"]) == (201, "Once")
    body["title"] = "Twice"
    assert create(0)[0] == 422


def test_it_is_ready_without_a_broker(school: School) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", school.site.port, timeout=30)
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    assert response.status == 200
    assert json.loads(response.read()) == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "redis": "not_used"},
    }
    connection.close()


def raw(site: SiteServer, request: bytes) -> bytes:
    """The first line of the answer to exactly these bytes."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.readline()


def test_bytes_that_are_no_text_are_refused_not_a_fault(school: School) -> None:
    host = b"Host: localhost\r\nConnection: close\r\n"
    path = b"/api/v1/attendance/?course=\xff\xfe"
    assert raw(school.site, b"GET " + path + b" HTTP/1.1\r\n" + host + b"\r\n").split(
        b" "
    )[1] in (b"400", b"401")
    path = b"/api/v1/attendance/%ff%fe/?x=%ff"
    line = raw(school.site, b"GET " + path + b" HTTP/1.1\r\n" + host + b"\r\n")
    assert line.split(b" ")[1] == b"404"


def test_a_body_without_length_is_measured(school: School) -> None:
    """A chunked body over the limit is 413 as any other; a small one is read."""

    def post(body: bytes) -> bytes:
        token = school.students[0]["token"].encode()
        return raw(
            school.site,
            b"POST /api/v1/check-ins/code/ HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer " + token + b"\r\n"
            b"Content-Type: application/json\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n" % len(body)
            + body
            + b"\r\n0\r\n\r\n",
        )

    assert post(b'{"verification_code": "12"}').split(b" ")[1] == b"400"
    assert post(b" " * (2 * 1024 * 1024)).split(b" ")[1] == b"413"


def test_clients_that_break_off_leave_nothing_behind(
    school: School,
) -> None:
    """Neither a request cut short nor an answer unread keeps the server from ending."""
    with SiteServer(env=school.site.env) as site:
        for cut in (
            b"POST /api/v1/check-ins/code/ HTTP/1.1\r\nHost: x\r\nContent-Le",
            b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 100\r\n\r\nhalf",
            b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ):
            for _ in range(10):
                connection = socket.create_connection(("127.0.0.1", site.port))
                connection.sendall(cut)
                connection.close()
        assert raw(
            site,
            b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
            b"Connection: close\r\n\r\n",
        ).startswith(b"HTTP/1.1 200")
        process = site.process
        assert process is not None
        site.stop()
        assert process.returncode != -signal.SIGKILL, "it did not end by itself"
        assert "Traceback" not in site.log
