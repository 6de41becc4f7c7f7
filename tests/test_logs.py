"""The logs: an id that joins request, event and frame; JSON; and no secrets."""

from __future__ import annotations

import http.client
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, RequestFactory

from attendance.models import AttendanceEvent, ClassSession, User
from attendance_site.logs import TraceFilter
from tests.cast import API, client_for, qr_token_of, token_of
from tests.live import FAST_HEARTBEAT, open_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)

JSON_LOGS = {
    **FAST_HEARTBEAT,
    "ATTENDANCE_LOG_FORMAT": "json",
    "ATTENDANCE_LOG_LEVEL": "INFO",
}
MADE_HERE = re.compile(r"[0-9a-f]{16}")


@pytest.fixture(scope="module")
def logging_sites(django_db_setup: None) -> Iterator[tuple[SiteServer, SiteServer]]:
    """Two processes: one for HTTP, one for the stream."""
    with SiteServer(env=JSON_LOGS) as web, SiteServer(env=JSON_LOGS) as live:
        yield web, live


def lines_of(site: SiteServer, request_id: str) -> list[dict[str, Any]]:
    """All lines of the site's log with this id; every line is one JSON object."""
    lines = [json.loads(line) for line in site.log.splitlines()]
    return [line for line in lines if line.get("request_id") == request_id]


def request(
    site: SiteServer, method: str, path: str, body: Any = None, **headers: str
) -> http.client.HTTPResponse:
    peer = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    try:
        sent = {"Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        peer.request(method, path, json.dumps(body), sent)
        response = peer.getresponse()
        response.read()
        return response
    finally:
        peer.close()


def test_one_id_joins_request_event_and_frame(
    logging_sites: tuple[SiteServer, SiteServer],
    teacher: User,
    student: User,
    class_session: ClassSession,
) -> None:
    web, live = logging_sites
    with open_stream(live, session_path(class_session), user=teacher) as stream:
        stream.next()
        answer = request(
            web,
            "POST",
            f"{API}/check-ins/code/",
            {"verification_code": class_session.verification_code},
            Authorization=f"Bearer {token_of(student)}",
            X_Request_ID="from-the-proxy.7",
        )
        frame = stream.next()
    assert answer.status == 201
    assert answer.headers["X-Request-ID"] == "from-the-proxy.7"
    # It travels beside the message.
    assert set(frame) == {"type", "revision", "class_session_id", "timestamp", "data"}

    row = {"class_session": class_session.pk, "revision": frame["revision"]}
    assert AttendanceEvent.objects.filter(
        class_session=class_session, revision=frame["revision"]
    ).exists()
    (access,) = lines_of(web, "from-the-proxy.7")
    assert access["committed"] == [row]
    assert (access["method"], access["route"]) == ("POST", f"{API}/check-ins/code/")
    assert access["status"] == 201
    assert 0 < access["database_milliseconds"] <= access["milliseconds"]
    assert access["statements"] > 0

    (heard,) = lines_of(live, "from-the-proxy.7")
    assert row.items() <= heard.items()
    assert heard["message"].startswith("student_joined revision")


def test_neither_codes_nor_tokens_nor_values_are_logged(
    logging_sites: tuple[SiteServer, SiteServer],
    teacher: User,
    student: User,
    class_session: ClassSession,
) -> None:
    web, _ = logging_sites
    qr_token = qr_token_of(client_for(teacher), class_session)
    api_token = token_of(student)
    secrets = [qr_token, api_token, "s3cret", "a-cookie-of-somebody"]
    answers = [
        request(web, "GET", f"/c/{qr_token}/"),
        # Refused before any view, and logged by Django with the path: no CSRF token.
        request(web, "POST", f"/c/{qr_token}/"),
        request(web, "GET", f"/nothing/{qr_token}"),
        request(
            web,
            "GET",
            f"{API}/attendance/?course=5&{qr_token}=1&note=s3cret",
            Authorization=f"Bearer {api_token}",
            Cookie="sessionid=a-cookie-of-somebody",
        ),
    ]
    logged = [
        line
        for answer in answers
        for line in lines_of(web, str(answer.headers["X-Request-ID"]))
    ]
    assert len(logged) >= len(answers)
    assert {line["route"] for line in logged if "route" in line} == {
        "/c/<str:token>/",
        "none",
        f"{API}/attendance/",
    }
    assert any("Forbidden" in line["message"] for line in logged)
    assert logged[-1]["parameters"] == ["course", "note"]
    for secret in secrets:
        assert secret not in web.log


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", "ümlaut", "a\tb", "{}"])
def test_an_id_that_is_none_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/accounts/login/", HTTP_X_REQUEST_ID=given)
    assert MADE_HERE.fullmatch(answer["X-Request-ID"])
    again = client.get("/accounts/login/", HTTP_X_REQUEST_ID=given)
    assert answer["X-Request-ID"] != again["X-Request-ID"]


def test_a_refusal_has_an_id_too(client: Client) -> None:
    answer = client.get("/accounts/login/?x=%00", HTTP_X_REQUEST_ID="mine")
    assert (answer.status_code, answer["X-Request-ID"]) == (400, "mine")


def test_a_fault_is_logged_by_its_route() -> None:
    """As Django logs an answer of 500: with the path, and with the request itself."""
    seen = RequestFactory().get("/c/a.secret.token/")
    record = logging.LogRecord(
        *("django.request", logging.ERROR, "", 0),
        *("%s: %s", ("Internal Server Error", seen.path), None),
    )
    record.request = seen
    assert TraceFilter().filter(record)
    assert record.getMessage() == "Internal Server Error: none"
    assert not hasattr(record, "request")


def test_the_page_that_a_refused_form_came_from_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its address may be a QR code's, and Django gives it as the reason."""
    caplog.handler.addFilter(TraceFilter())
    answer = Client(enforce_csrf_checks=True).post(
        "/c/", secure=True, headers={"referer": "https://elsewhere/c/a.secret.token/"}
    )
    assert answer.status_code == 403
    assert "Forbidden (Referer checking failed): /c/" in caplog.text
    assert "secret" not in caplog.text


def test_people_read_plain_logs(tmp_path: Any, student: User) -> None:
    env = {"ATTENDANCE_LOG_FORMAT": "plain", "ATTENDANCE_LOG_LEVEL": "INFO"}
    with SiteServer(env=env) as site:
        answer = request(site, "GET", "/c/a.b.c.d/", X_Request_ID="abc")
        assert answer.status == 302
        (line,) = [line for line in site.log.splitlines() if "[abc]" in line]
    assert line.endswith("INFO attendance_site.tracing [abc]: GET /c/<str:token>/ 302")
