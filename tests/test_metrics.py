"""`/metrics`: it counts what happened, in any kind of process, for monitoring alone."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from attendance.models import ClassSession, User
from tests.cast import make_students, token_of, wrong_code
from tests.live import FAST_HEARTBEAT, open_stream, post, session_path
from tests.servers import ProductionServer, RedisServer, SiteServer

pytestmark = pytest.mark.django_db(transaction=True)

Samples = dict[tuple[str, ...], float]
SOON = 8.0


def read_metrics(site: SiteServer, **headers: str) -> tuple[int, str]:
    peer = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    try:
        peer.request("GET", "/metrics", headers=headers)
        response = peer.getresponse()
        return response.status, response.read().decode()
    finally:
        peer.close()


def samples_of(site: SiteServer) -> Samples:
    """By name and label values in the order of the labels' names."""
    status, text = read_metrics(site)
    assert status == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Watch:
    """What the figures of a site have grown by since this was made."""

    def __init__(self, site: SiteServer) -> None:
        self._site = site
        self._before = samples_of(site)

    def grown(self, *name: str) -> float:
        return samples_of(self._site).get(name, 0) - self._before.get(name, 0)

    def wait_for(self, growth: float, *name: str) -> None:
        """Until the figure has grown by that much: a frame is counted after it left."""
        until = time.monotonic() + SOON
        while self.grown(*name) != growth:
            assert time.monotonic() < until, (name, self.grown(*name))
            time.sleep(0.05)


def check_in(site: SiteServer, token: str, code: str | None) -> int:
    """The status that answers the check-in of the token's owner."""
    body = {"verification_code": code}
    return post(site, "check-ins/code/", body, token=token)[0]


def test_a_check_in_and_its_frame_are_counted_where_they_happen(
    transactional_db: None,
    sites: tuple[SiteServer, SiteServer],
    teacher: User,
    student: User,
    outsider: User,
    class_session: ClassSession,
) -> None:
    web, live = (Watch(site) for site in sites)
    code = class_session.verification_code
    socket = ("attendance_stream_sockets", "class_session")
    with open_stream(sites[1], session_path(class_session), user=teacher) as stream:
        stream.next()
        assert live.grown(*socket) == 1
        token = token_of(student)
        assert check_in(sites[0], token, code) == 201
        assert stream.next()["type"] == "student_joined"
        assert check_in(sites[0], token, code) == 200
        assert check_in(sites[0], token_of(outsider), code) == 403
        assert check_in(sites[0], token, wrong_code(class_session)) == 404
        stream.send({"type": "resync", "after": 1})
        assert stream.next()["type"] == "student_joined"
        stream.heartbeat()
        live.wait_for(2, "attendance_stream_frames_total", "student_joined")

    counted = {
        outcome: web.grown("attendance_check_ins_total", "verification_code", outcome)
        for outcome in ("created", "already", "not_enrolled", "invalid_code", "fault")
    }
    assert counted == {
        "created": 1,
        "already": 1,
        "not_enrolled": 1,
        "invalid_code": 1,
        "fault": 0,
    }
    # To the session's watchers, and to the student.
    web.wait_for(2, "attendance_publications_total", "sent")
    assert web.grown("attendance_publish_queue") == 0
    route = "/api/v1/check-ins/code/"
    for status in ("200", "201", "403", "404"):
        name = "attendance_request_seconds_count"
        assert web.grown(name, "POST", route, status) == 1
    assert web.grown("attendance_request_database_seconds_sum") > 0
    assert web.grown("attendance_stream_frames_total", "student_joined") == 0

    live.wait_for(0, *socket)
    assert live.grown("attendance_stream_frames_total", "snapshot") == 1
    for what, cause in (("snapshots", "connect"), ("catch_ups", "resync")):
        name = f"attendance_stream_{what}_total"
        assert live.grown(name, cause, "class_session") == 1
    assert live.grown("attendance_stream_resyncs_total", "class_session") == 1
    assert live.grown("attendance_stream_heartbeat_lag_seconds_count") >= 1


def test_what_cannot_be_published_is_counted(
    transactional_db: None, class_session: ClassSession, student: User
) -> None:
    code = class_session.verification_code
    with RedisServer() as redis, SiteServer(env={"REDIS_URL": redis.url}) as site:
        redis.freeze()
        watch = Watch(site)
        assert check_in(site, token_of(student), code) == 201
        # On their way, or one behind the other.
        watch.wait_for(2, "attendance_publish_queue")
        redis.kill()
        watch.wait_for(2, "attendance_publications_total", "failed")
        watch.wait_for(0, "attendance_publish_queue")


# Under gunicorn -----------------------------------------------------------------------


@pytest.fixture
def gunicorn(transactional_db: None, tmp_path: Path) -> Iterator[ProductionServer]:
    env = {
        **FAST_HEARTBEAT,
        "TMPDIR": str(tmp_path),
        "WEB_CONCURRENCY": "2",
        "ATTENDANCE_LOG_FORMAT": "json",
        "ATTENDANCE_LOG_LEVEL": "INFO",
    }
    with ProductionServer("web", env=env) as server:
        yield server


def test_any_worker_tells_for_all_also_for_those_that_have_ended(
    gunicorn: ProductionServer, class_session: ClassSession, tmp_path: Path
) -> None:
    code = class_session.verification_code
    tokens = [token_of(s) for s in make_students(class_session.course, 12)]
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda token: check_in(gunicorn, token, code), tokens)
        assert list(answers) == [201] * len(tokens)

    created = ("attendance_check_ins_total", "verification_code", "created")
    queue = ("attendance_publish_queue",)
    for _ in range(6):
        assert samples_of(gunicorn)[created] == len(tokens)

    first = gunicorn.workers
    for worker in first:
        os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + SOON
    while len(gunicorn.workers - first) < len(first):
        assert time.monotonic() < until
        time.sleep(0.05)
    samples = samples_of(gunicorn)
    assert samples[created] == len(tokens)
    assert samples.get(queue, 0) == 0

    gunicorn.stop()
    assert not list(tmp_path.iterdir()), "it leaves its files behind"
    # Its own lines are like all others: one JSON object each.
    lines = [json.loads(line) for line in gunicorn.log.splitlines()]
    said = [line["message"] for line in lines if line["logger"] == "gunicorn.error"]
    assert any(message.startswith("Listening at") for message in said)
    assert any("SIGKILL" in message for message in said)


# Who may read them --------------------------------------------------------------------


@pytest.fixture
def ask(client: Client, settings: object) -> Callable[..., int]:
    return lambda **meta: client.get("/metrics", **meta).status_code


def test_without_a_token_only_this_machine_reads(ask: Callable[..., int]) -> None:
    assert ask(REMOTE_ADDR="127.0.0.1") == 200
    assert ask(REMOTE_ADDR="::1") == 200
    assert ask(REMOTE_ADDR="::ffff:127.0.0.1") == 200
    for address in ("192.0.2.7", "::ffff:192.0.2.7", ""):
        assert ask(REMOTE_ADDR=address) == 403
    for header in ("X_FORWARDED_FOR", "FORWARDED", "X_REAL_IP", "VIA"):
        assert ask(REMOTE_ADDR="127.0.0.1", **{f"HTTP_{header}": "127.0.0.1"}) == 403


def test_with_a_token_only_its_bearer_reads(
    ask: Callable[..., int], settings: object
) -> None:
    settings.METRICS_TOKEN = "a-token-of-monitoring"  # type: ignore[attr-defined]
    given = "Bearer a-token-of-monitoring"
    assert ask(REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION=given) == 200
    assert ask(REMOTE_ADDR="127.0.0.1") == 403
    for wrong in (
        "Bearer",
        "Bearer a-token",
        "Basic a-token-of-monitoring",
        "Bearer ö",
    ):
        assert ask(REMOTE_ADDR="127.0.0.1", HTTP_AUTHORIZATION=wrong) == 403


def test_a_refusal_says_what_to_set(client: Client) -> None:
    answer = client.get("/metrics", REMOTE_ADDR="192.0.2.7")
    assert answer.json()["code"] == "permission_denied"
    assert "ATTENDANCE_METRICS_TOKEN" in answer.json()["detail"]
