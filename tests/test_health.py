"""`/healthz` and `/readyz`: what a load balancer is told, also when servers hang."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from attendance_site import readiness
from tests.servers import PostgresServer, RedisServer, SiteServer

WELL = {"database": "ok", "migrations": "ok", "redis": "ok"}
# An answer says how things were up to a second ago.
CATCHING_UP = 10.0
# Whoever asks, a proxy or a monitor, gives up after some seconds: the answer must come
# before, also when the servers that it is about do not answer at all.
PATIENCE = 3.0


def ask(
    site: SiteServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, Any]:
    """The status and the JSON of the answer."""
    peer = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    try:
        peer.request(method, path, headers=headers)
        response = peer.getresponse()
        return response.status, json.loads(response.read() or b"null")
    finally:
        peer.close()


def wait_for(site: SiteServer, **checks: str) -> int:
    """Ask until these checks stand so; the status that says it."""
    until = time.monotonic() + CATCHING_UP
    while True:
        status, answer = ask(site, "/readyz")
        if checks.items() <= answer["checks"].items():
            return status
        assert time.monotonic() < until, answer


def test_a_site_that_is_well(
    transactional_db: None, sites: tuple[SiteServer, SiteServer]
) -> None:
    site = sites[0]
    assert ask(site, "/healthz") == (200, {"status": "ok"})
    assert ask(site, "/readyz") == (200, {"status": "ready", "checks": WELL})


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, postgres: PostgresServer, redis: RedisServer
) -> Iterator[SiteServer]:
    """One process over servers that may fail; no migration has been applied there."""
    with SiteServer(env={"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}) as one:
        yield one


def test_migrations_that_were_never_applied(site: SiteServer) -> None:
    assert ask(site, "/readyz") == (
        503,
        {"status": "not_ready", "checks": {**WELL, "migrations": "unapplied"}},
    )


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_redis_is_away(site: SiteServer, redis: RedisServer, fault: str) -> None:
    if fault == "hung":
        redis.freeze()
        assert wait_for(site, redis="timeout", database="ok") == 503
        assert wait_for(site, redis="timeout", database="ok") == 503
        said = "readiness has changed: database=ok migrations=unapplied redis=timeout"
        assert site.log.count(said) == 1
        redis.thaw()
    else:
        redis.kill()
        assert wait_for(site, redis="unavailable", database="ok") == 503
        redis.start()
    wait_for(site, redis="ok")


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_the_database_is_away(
    site: SiteServer, postgres: PostgresServer, fault: str
) -> None:
    if fault == "hung":
        postgres.freeze()
        assert wait_for(site, database="timeout", migrations="unknown") == 503
        # However many have asked and got no answer, the process itself serves.
        assert ask(site, "/healthz") == (200, {"status": "ok"})
        postgres.thaw()
    else:
        postgres.kill()
        expected = {"database": "unavailable", "migrations": "unknown", "redis": "ok"}
        assert wait_for(site, **expected) == 503
        postgres.start()
    wait_for(site, database="ok", migrations="unapplied")


# In the test's own process ------------------------------------------------------------


@pytest.fixture
def readyz(
    transactional_db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Ask, and get what holds now."""
    monkeypatch.setattr(readiness, "FRESH_SECONDS", -1.0)
    return lambda query="": client.get(f"/readyz{query}")


def test_one_migration_of_this_version_is_missing(readyz: Callable[..., Any]) -> None:
    assert readyz().status_code == 200
    recorder = MigrationRecorder(connection)
    last = max(name for app, name in recorder.applied_migrations() if app == "knox")
    recorder.record_unapplied("knox", last)
    try:
        answer = readyz()
    finally:
        recorder.record_applied("knox", last)
    assert answer.status_code == 503
    assert answer.json()["checks"] == {**WELL, "migrations": "unapplied"}
    assert readyz().status_code == 200


def test_a_migration_of_a_later_version_is_none_of_ours(
    readyz: Callable[..., Any],
) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("attendance", "9999_of_the_next_release")
    try:
        assert readyz().status_code == 200
    finally:
        recorder.record_unapplied("attendance", "9999_of_the_next_release")


def test_a_balancer_can_leave_redis_out_of_the_verdict(
    readyz: Callable[..., Any], settings: Any
) -> None:
    layer = settings.CHANNEL_LAYERS["default"]
    hosts = [{"address": "redis://127.0.0.1:1/0"}]
    settings.CHANNEL_LAYERS = {
        "default": {**layer, "CONFIG": {**layer["CONFIG"], "hosts": hosts}}
    }
    assert readyz().status_code == 503
    answer = readyz("?exclude=redis")
    assert answer.status_code == 200
    assert answer.json()["checks"]["redis"] == "unavailable"
    assert readyz("?exclude=migrations").status_code == 503


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_neither_host_nor_scheme_matters(
    readyz: Callable[..., Any], client: Client, settings: Any, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["attendance.example"]
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(path, headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert client.post(path).status_code == 405


def test_health_asks_nobody(client: Client) -> None:
    """Without the mark that lets a test use the database."""
    assert client.get("/healthz").json() == {"status": "ok"}
