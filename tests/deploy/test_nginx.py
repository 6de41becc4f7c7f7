"""The whole site through nginx, over TLS."""

from __future__ import annotations

import concurrent.futures
import contextlib
import gzip
import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from pytest_django import Settings

from attendance.models import AttendanceEvent, AttendanceRecord, ClassSession, User
from tests.cast import PASSWORD, make_session, make_students, make_user, token_of
from tests.deploy.conftest import Deployment
from tests.live import open_stream, post, session_path
from tests.needs import need_nginx
from tests.servers import NginxServer
from tests.servers.nginx import (
    BALANCER,
    SHIPPED,
    changed,
    find_nginx,
    make_certificate,
)
from tests.servers.process import free_port

pytestmark = pytest.mark.django_db(transaction=True)

CHECK_IN = "check-ins/code/"


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes


def ask(
    nginx: NginxServer,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    source: str = "127.0.0.1",
) -> Answer:
    """One request from that address."""
    with contextlib.closing(connect(nginx, source)) as connection:
        return ask_over(connection, method, path, body, headers)


def connect(nginx: NginxServer, source: str) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(
        "127.0.0.1",
        nginx.port,
        timeout=30,
        context=nginx.tls,
        source_address=(source, 0),
    )


def ask_over(
    connection: http.client.HTTPSConnection,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def code_of(class_session: ClassSession) -> dict[str, str | None]:
    return {"verification_code": class_session.verification_code}


def test_it_works(
    nginx: NginxServer, teacher: User, student: User, class_session: ClassSession
) -> None:
    with open_stream(nginx, session_path(class_session), user=teacher) as stream:
        assert stream.next()["type"] == "snapshot"
        status, _ = post(
            nginx, CHECK_IN, code_of(class_session), token=token_of(student)
        )
        assert status == 201
        joined = stream.next()
        assert joined["type"] == "student_joined"
        assert joined["data"]["student_id"] == student.pk


def test_logging_in_and_watching_in_a_browser_s_way(
    nginx: NginxServer, settings: Settings, class_session: ClassSession
) -> None:
    """Secure cookies, CSRF and the Origin of the stream, all behind TLS and a proxy."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    make_user("boss", "Bea Boss", is_staff=True)
    page = ask(nginx, "GET", "/accounts/login/")
    cookies = SimpleCookie(page.headers["Set-Cookie"])
    assert cookies["csrftoken"]["secure"]
    hidden = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    assert hidden
    form = {
        "username": "boss",
        "password": PASSWORD,
        "csrfmiddlewaretoken": hidden[1].decode(),
    }
    headers = {
        "Cookie": f"csrftoken={cookies['csrftoken'].value}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": nginx.url,
    }
    answer = ask(nginx, "POST", "/accounts/login/", urlencode(form), headers)
    assert answer.status == 302, answer.body
    (session,) = (
        cookie
        for cookie in answer.headers.get_all("Set-Cookie")
        if cookie.startswith("sessionid=")
    )
    handshake = {
        "Connection": "Upgrade",
        "Cookie": session.partition(";")[0],
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
        "Upgrade": "websocket",
    }
    path = f"/ws/{session_path(class_session)}"
    origins = {nginx.url: 101, "https://127.0.0.1": 403, "https://evil.example": 403}
    for origin, expected in origins.items():
        answer = ask(nginx, "GET", path, headers={**handshake, "Origin": origin})
        assert answer.status == expected


def log_in(nginx: NginxServer, source: str, forwarded_for: str) -> int:
    """The status that answers a wrong password from there."""
    credentials = json.dumps({"username": "student", "password": "wrong"})
    headers = {"Content-Type": "application/json", "X-Forwarded-For": forwarded_for}
    path = "/api/v1/auth/token/"
    return ask(nginx, "POST", path, credentials, headers, source=source).status


def test_the_client_s_own_address_counts(nginx: NginxServer, student: User) -> None:
    """Ten log-ins a minute of a user name and an address, whatever is forged."""
    statuses = [log_in(nginx, "127.0.0.2", f"10.0.0.{n}") for n in range(11)]
    assert statuses == [400] * 10 + [429]
    assert log_in(nginx, "127.0.0.3", "127.0.0.2") == 400


def test_behind_a_load_balancer_the_address_that_it_has_seen_counts(
    nginx: NginxServer, student: User
) -> None:
    client, other = "192.0.2.7", "192.0.2.8"
    statuses = [log_in(nginx, BALANCER, f"10.0.0.{n}, {client}") for n in range(11)]
    assert statuses == [400] * 10 + [429]
    assert nginx.access_log()[-1]["address"] == client
    assert log_in(nginx, BALANCER, f"{client}, {other}") == 400
    assert log_in(nginx, "127.0.0.3", client) == 400, "believed somebody else"


def test_without_tls_one_is_sent_on(nginx: NginxServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", nginx.plain_port, timeout=30)
    with contextlib.closing(connection):
        headers = {"Host": "attendance.example"}
        connection.request("POST", "/c/a-token/?next=1", b"", headers)
        answer = connection.getresponse()
    assert answer.status == 308
    assert answer.headers["Location"] == "https://attendance.example/c/a-token/?next=1"


@pytest.fixture(scope="module")
def narrow(deployment: Deployment) -> Iterator[NginxServer]:
    """The same with limits that a test reaches."""
    changes = {
        "rate=1000r/s": "rate=1r/m",
        "burst=5000": "burst=4",
        "connections 10000": "connections 1",
    }
    with NginxServer(deployment.web, deployment.live, changes=changes) as server:
        yield server


def test_too_many_requests_of_one_address(
    nginx: NginxServer, narrow: NginxServer
) -> None:
    """Nobody else is kept out, and the API's answer is one of its own."""
    login, api = "/accounts/login/", "/api/v1/courses/"
    # Over one connection: nginx may count one that is just being closed, and the limit
    # of connections is narrow, too.
    with contextlib.closing(connect(narrow, "127.0.0.5")) as connection:
        asked = [ask_over(connection, "GET", login) for _ in range(6)]
        assert [answer.status for answer in asked] == [200] * 5 + [429]
        require_throttled(ask_over(connection, "GET", api))
    assert ask(narrow, "GET", api, source="127.0.0.6").status == 401


def test_too_many_connections_of_one_address(
    nginx: NginxServer, narrow: NginxServer, teacher: User, class_session: ClassSession
) -> None:
    with open_stream(narrow, session_path(class_session), user=teacher) as stream:
        assert stream.next()["type"] == "snapshot"
        require_throttled(ask(narrow, "GET", "/api/v1/courses/"))
        assert ask(narrow, "GET", "/api/v1/courses/", source="127.0.0.7").status == 401


def require_throttled(answer: Answer) -> None:
    assert answer.status == 429
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Retry-After"]) > 0
    assert json.loads(answer.body)["code"] == "throttled"


def test_pages_and_json_come_compressed_where_no_code_could_be_guessed(
    nginx: NginxServer, teacher: User, class_session: ClassSession
) -> None:
    make_students(class_session.course, 20)
    make_session(class_session.course)  # so that there is a next page, with its link
    sessions = "/api/v1/class-sessions/"
    headers = {
        "Accept-Encoding": "gzip",
        "Authorization": f"Bearer {token_of(teacher)}",
    }
    for method, path, expected in (
        ("GET", "/accounts/login/", "gzip"),
        ("GET", f"{sessions}{class_session.pk}/roster/", "gzip"),
        ("GET", f"{sessions}?page_size=1&x={'x' * 1024}", None),
        # Refused for want of a CSRF token, in a page.
        ("POST", "/accounts/login/", "gzip"),
        ("POST", "/admin/login/", None),
    ):
        answer = ask(nginx, method, path, headers=headers)
        assert answer.headers["Content-Encoding"] == expected, path
        plain = gzip.decompress(answer.body) if expected else answer.body
        assert answer.status == (200 if method == "GET" else 403)
        assert len(plain) > 1024, path
        assert "Accept-Encoding" in answer.headers.get("Vary", "") or not expected


@pytest.mark.parametrize(
    "path", ["/metrics", "/readyz", "//metrics", "/%6Detrics", "/static/../metrics"]
)
def test_what_is_for_the_inside_is_refused(nginx: NginxServer, path: str) -> None:
    answer = ask(nginx, "GET", path)
    assert answer.status == 404
    assert b"nginx" in answer.body, "it came as far as the application"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_is_too_large(
    nginx: NginxServer, student: User, chunked: bool
) -> None:
    """nginx refuses it itself, as the contract has it."""
    body = b" " * (1024 * 1024 + 1)
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token_of(student)}",
    }
    path = f"/api/v1/{CHECK_IN}"
    answer = ask(nginx, "POST", path, iter([body]) if chunked else body, headers)
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.body)["code"] == "too_large"


def test_static_files_come_from_nginx_s_cache_and_are_kept(nginx: NginxServer) -> None:
    page = ask(nginx, "GET", "/accounts/login/").body
    found = re.search(rb'href="(/static/[^"]+\.css)"', page)
    assert found
    path = found[1].decode()
    first, second = (ask(nginx, "GET", path) for _ in range(2))
    assert first.body == second.body != b""
    assert "immutable" in second.headers["Cache-Control"]
    assert second.headers["X-Cache"] == "HIT"


def test_a_post_is_not_repeated_when_its_process_dies(
    nginx: NginxServer,
    deployment: Deployment,
    class_session: ClassSession,
    student: User,
    student2: User,
) -> None:
    """Whether it was done nobody knows but the client's own Idempotency-Key."""
    dying = deployment.web[0]
    path = f"/api/v1/{CHECK_IN}"
    # Made here: the threads do without the database.
    tokens = {user.pk: token_of(user) for user in (student, student2)}

    def check_in(user: User) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {tokens[user.pk]}",
            "Idempotency-Key": f"key-of-{user.pk}",
        }
        return ask(nginx, "POST", path, json.dumps(code_of(class_session)), headers)

    dying.freeze()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        # In turns: one of two goes to the process that hangs.
        asked = {pool.submit(check_in, user): user for user in (student, student2)}
        answered, hanging = concurrent.futures.wait(
            asked, return_when=concurrent.futures.FIRST_COMPLETED
        )
        assert [each.result().status for each in answered] == [201]
        dying.kill()
        (lost,) = hanging
        answer = lost.result()
    assert answer.status == 502
    assert json.loads(answer.body)["code"] == "unavailable"
    assert AttendanceRecord.objects.count() == 1
    (line,) = [line for line in nginx.access_log() if line["status"] == 502]
    assert line["request"] == f"POST {path}"
    assert line["upstream"] == f"127.0.0.1:{dying.port}", "sent to more than one"

    # Nothing is sent to a process that refuses the connection, so this one is safe.
    again = [check_in(asked[lost]) for _ in range(2)]
    assert [each.status for each in again] == [201, 201]
    assert again[1].headers["Idempotent-Replayed"] == "true"
    assert AttendanceEvent.objects.filter(type="student_joined").count() == 2


def test_a_page_is_fetched_elsewhere_when_its_process_dies(
    nginx: NginxServer, deployment: Deployment
) -> None:
    dying = deployment.web[1]
    dying.freeze()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [pool.submit(ask, nginx, "GET", "/accounts/login/") for _ in range(2)]
        concurrent.futures.wait(asked, return_when=concurrent.futures.FIRST_COMPLETED)
        dying.kill()
    assert [each.result().status for each in asked] == [200, 200]


def test_the_shipped_files_of_a_site_are_understood(tmp_path: Path) -> None:
    """Those that a site changes; nginx reads them all, but listens to none."""
    need_nginx()
    folder = tmp_path / "nginx"
    shutil.copytree(SHIPPED, folder)
    make_certificate(tmp_path, "127.0.0.1")
    site = {
        "main.conf": {"user www-data;": f"pid {tmp_path}/pid;"},
        "http.conf": {
            "/var/": f"{tmp_path}/",
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
        },
        "server.conf": {
            "listen 443": f"listen 127.0.0.1:{free_port()}",
            "/etc/attendance/tls/fullchain.pem": f"{tmp_path}/cert.pem",
            "/etc/attendance/tls/privkey.pem": f"{tmp_path}/key.pem",
        },
    }
    for name, changes in site.items():
        path = folder / "site" / name
        path.write_text(changed(path.read_text(), changes))
    # What every Debian with nginx has of it; everything else nginx has to make.
    (tmp_path / "log" / "nginx").mkdir(parents=True)
    (tmp_path / "cache").mkdir()
    command = [
        str(find_nginx()),
        "-t",
        "-p",
        str(folder),
        "-e",
        "stderr",
        "-c",
        "nginx.conf",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr
