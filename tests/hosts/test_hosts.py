"""
Six machines: nginx, two for HTTP, one for the stream, PostgreSQL and Redis.

Each fault is one machine's: cut off from the others and joined again, or without power.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import time
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from tests.cast import make_session
from tests.databases import using_database
from tests.faults.bursts import Burst
from tests.faults.school import School, make_school
from tests.faults.trial import RecordProperty, Trial
from tests.hosts.network import Network, find_namespaces
from tests.live import post
from tests.needs import need_nginx
from tests.servers import (
    NginxServer,
    PostgresServer,
    ProductionServer,
    RedisServer,
    Server,
    production_environment,
)

CUT_SECONDS = 2.0
NAMES = ["front", "web1", "web2", "live", "database", "redis"]


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """The machines, and what runs there."""

    network: Network
    nginx: NginxServer
    web: list[ProductionServer]
    live: ProductionServer
    postgres: PostgresServer
    redis: RedisServer
    school: School

    def server_on(self, name: str) -> Server:
        """What runs on the machine of that name."""
        host = self.network.hosts[name]
        everything = [self.nginx, *self.web, self.live, self.postgres, self.redis]
        (server,) = (each for each in everything if each.host == host)
        return server

    def lesson(self) -> School:
        """The school with a new class session, so that all its students may come."""
        lesson = make_session(self.school.course)
        return dataclasses.replace(self.school, class_session=lesson)


@pytest.fixture(scope="module")
def site(
    django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    refused = find_namespaces()
    if refused:
        pytest.skip(refused)
    need_nginx()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        network = enter(Network(NAMES))
        hosts = network.hosts
        postgres = enter(PostgresServer(host=hosts["database"]))
        redis = enter(RedisServer(host=hosts["redis"]))
        enter(django_db_blocker.unblock())
        postgres.execute("CREATE DATABASE school")
        enter(using_database(postgres.url_of("school")))
        call_command("migrate", verbosity=0, interactive=False)
        env = production_environment(
            tmp_path_factory.mktemp("var"),
            DJANGO_ALLOWED_HOSTS=",".join(host.address for host in hosts.values()),
            REDIS_URL=redis.url,
            WEB_CONCURRENCY="1",
        )
        web = [
            enter(ProductionServer("web", env=env, host=hosts[name]))
            for name in ("web1", "web2")
        ]
        live = enter(ProductionServer("live", env=env, host=hosts["live"]))
        nginx = enter(NginxServer(web, [live], host=hosts["front"]))
        yield Site(network, nginx, web, live, postgres, redis, make_school(40))


def burst(site: Site, lesson: School) -> Burst:
    """Six clients at nginx: two that hang do not stop the others."""
    return Burst(lesson, [site.nginx] * 3, rate=25)


def require_silence(server: Server) -> None:
    """Assert that a machine does not even refuse a connection: it is cut off."""
    with pytest.raises(OSError) as caught, socket.socket() as client:
        client.settimeout(CUT_SECONDS / 2)
        client.connect((server.host.address, server.port))
    assert not isinstance(caught.value, ConnectionRefusedError)


def test_it_works(site: Site, record_property: RecordProperty) -> None:
    """Checked in at one machine, seen by way of another."""
    lesson = site.lesson()
    body = {"verification_code": lesson.class_session.verification_code}
    with Trial("no fault, on six machines", lesson, record_property) as trial:
        trial.watch_everywhere([site.nginx, site.live])
        for student, machine in zip(lesson.students[:2], site.web, strict=True):
            token = lesson.token(student)
            assert post(machine, "check-ins/code/", body, token=token)[0] == 201
        trial.verdict()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("web1", "one of two machines for HTTP"),
        ("live", "the machine of the stream"),
        ("database", "the machine of PostgreSQL"),
        ("redis", "the machine of Redis"),
    ],
)
def test_a_machine_cut_off_in_a_burst(
    site: Site, record_property: RecordProperty, name: str, what: str
) -> None:
    lesson = site.lesson()
    fault = f"{what} cut off for {CUT_SECONDS:g} s in a burst"
    with Trial(fault, lesson, record_property) as trial:
        trial.watch_everywhere([site.nginx])
        with burst(site, lesson) as students:
            students.wait_for(10)
            site.network.cut(name)
            over = time.monotonic() + CUT_SECONDS
            require_silence(site.server_on(name))
            time.sleep(max(0.0, over - time.monotonic()))
            site.network.join(name)
            trial.fault_is_over()
        trial.verdict(students)


def test_a_machine_without_power_in_a_burst(
    site: Site, record_property: RecordProperty
) -> None:
    """It takes its kept connections with it, without a word; later it is back."""
    lesson = site.lesson()
    fault = "one of two machines for HTTP without power in a burst"
    machine = site.web[0]
    with Trial(fault, lesson, record_property) as trial:
        trial.watch_everywhere([site.nginx])
        with burst(site, lesson) as students:
            students.wait_for(10)
            site.network.cut("web1")
            machine.kill()
            site.network.join("web1")
            students.wait_for(25)
            machine.start()
            trial.fault_is_over()
        trial.verdict(students)
