"""PostgreSQL behind a pooler in transaction mode, which also ends in a burst."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.faults.bursts import Burst
from tests.faults.school import School
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT, post
from tests.needs import need
from tests.servers import PgBouncerServer, SiteServer, url_of_database
from tests.servers.pgbouncer import find_pgbouncer

pytestmark = pytest.mark.django_db(transaction=True)

Sites = tuple[SiteServer, SiteServer]


@pytest.fixture(scope="module")
def pooler(django_db_setup: None) -> Iterator[PgBouncerServer]:
    need(find_pgbouncer(), "no PgBouncer: install the package pgbouncer")
    with PgBouncerServer(url_of_database(connection.settings_dict)) as server:
        yield server
        assert "server login failed" not in server.log


@pytest.fixture(scope="module")
def sites(pooler: PgBouncerServer) -> Iterator[Sites]:
    """Two processes with 16 threads for the pooler's two connections."""
    env = {
        "DATABASE_URL": pooler.url,
        "ATTENDANCE_DATABASE_POOLER": "1",
        **FAST_HEARTBEAT,
    }
    with SiteServer(env=env) as one, SiteServer(env=env) as other:
        yield one, other


def test_it_works(
    sites: Sites, school: School, record_property: RecordProperty
) -> None:
    """Everything that a class session may see: the bells, locks and keys of it."""
    site, other = sites
    path = f"class-sessions/{school.class_session.pk}"
    teacher = school.token(school.teacher)

    def teach(step: str, **body: object) -> object:
        status, answer = post(site, f"{path}/{step}/", body, token=teacher)
        assert status == 200, answer
        return answer

    fault = "two database connections for everybody, by a pooler"
    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere(sites)
        with Burst(school, sites, students=school.students[:30], rate=60) as burst:
            pass
        assert not burst.errors()
        wrong = {"username": "teacher", "password": "wrong"}
        for attempt in range(11):
            status, _ = post(other, "auth/token/", wrong, token="")
            assert status == (400 if attempt < 10 else 429)
        student = school.students[30].pk
        teach("override", student_id=student, status="excused", reason="ill")
        bulk = teach(
            "bulk", operation="mark_absent", only_unmarked=True, reason="missing"
        )
        assert isinstance(bulk, dict)
        teach("undo", operation_id=bulk["operation_id"])
        teach("close")
        trial.verdict(burst)
    for each in sites:
        assert "ERROR" not in each.log


def test_pgbouncer_killed_and_restarted_in_a_burst(
    sites: Sites,
    pooler: PgBouncerServer,
    school: School,
    record_property: RecordProperty,
) -> None:
    fault = "PgBouncer killed and restarted in a burst"
    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere(sites)
        with Burst(school, sites) as burst:
            burst.wait_for(20)
            pooler.kill()
            burst.wait_for_error()
            pooler.start()
            trial.fault_is_over()
        trial.verdict(burst)
