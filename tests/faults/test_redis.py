"""Redis killed, restarted, frozen: check-ins are undisturbed and the screens heal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attendance.models import User
from tests.faults.bursts import Burst
from tests.faults.school import School
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT, post
from tests.servers import RedisServer, SiteServer

pytestmark = pytest.mark.django_db(transaction=True)

Sites = tuple[SiteServer, SiteServer]
FROZEN_SECONDS = 10.0


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def sites(django_db_setup: None, redis: RedisServer) -> Iterator[Sites]:
    """Two processes over a Redis that may be ended."""
    env = {"REDIS_URL": redis.url, **FAST_HEARTBEAT}
    with SiteServer(env=env) as one, SiteServer(env=env) as other:
        yield one, other


def check_in(site: SiteServer, school: School, student: User) -> None:
    body = {"verification_code": school.class_session.verification_code}
    token = school.token(student)
    assert post(site, "check-ins/code/", body, token=token)[0] == 201


def test_redis_killed_and_restarted_between_two_changes(
    sites: Sites,
    redis: RedisServer,
    school: School,
    record_property: RecordProperty,
) -> None:
    first, second, third = school.students[:3]
    fault = "Redis killed and restarted between two changes"
    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere(sites)
        check_in(sites[0], school, first)
        trial.wait_until_shown()

        redis.kill()
        redis.start()

        check_in(sites[0], school, second)
        trial.fault_is_over()
        check_in(sites[1], school, third)
        trial.verdict()


def test_redis_killed_and_restarted_in_a_burst(
    sites: Sites,
    redis: RedisServer,
    school: School,
    record_property: RecordProperty,
) -> None:
    fault = "Redis killed and restarted in a burst"
    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere(sites)
        with Burst(school, sites) as burst:
            burst.wait_for(15)
            redis.kill()
            burst.wait_for(35)
            redis.start()
            trial.fault_is_over()
        trial.verdict(burst)
        assert not burst.errors()


def test_redis_frozen_in_a_burst(
    sites: Sites,
    redis: RedisServer,
    school: School,
    record_property: RecordProperty,
) -> None:
    fault = f"Redis frozen for {FROZEN_SECONDS:g} s in a burst"
    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere(sites)
        # Slow enough to go on for longer than the frost.
        with Burst(school, sites, rate=4.5) as burst:
            burst.wait_for(5)
            redis.freeze()
            burst.wait_for(5 + int(4.5 * FROZEN_SECONDS))
            redis.thaw()
            trial.fault_is_over()
        trial.verdict(burst)
        assert not burst.errors()
