"""Redis by Sentinel: its master dies, a replica takes over, and the screens heal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.bursts import Burst
from tests.faults.school import School
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT
from tests.servers import RedisServer, SentinelServer, SiteServer
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def heard_by(redis: RedisServer) -> int:
    """How many group channels have somebody who listens there."""
    with redis.client() as client:
        channels: Any = client.pubsub_channels("*__group__*")
    return len(channels)


def test_a_failover_in_a_burst(school: School, record_property: RecordProperty) -> None:
    with (
        RedisServer() as master,
        RedisServer(options={"--replicaof": f"127.0.0.1 {master.port}"}) as replica,
        SentinelServer(master) as sentinel,
    ):
        with sentinel.client() as client:
            # Else there is nobody to take over.
            wait_until(
                lambda: len(client.sentinel_slaves("mymaster")) == 1,
                "the sentinel knows the replica",
            )
        env = {"REDIS_URL": sentinel.url, **FAST_HEARTBEAT}
        fault = "the master of Sentinel killed in a burst"
        with (
            SiteServer(env=env) as one,
            SiteServer(env=env) as other,
            Trial(fault, school, record_property) as trial,
        ):
            trial.watch_everywhere([one, other])
            assert heard_by(master) and not heard_by(replica)
            with Burst(school, [one, other], rate=15) as burst:
                burst.wait_for(20)
                master.kill()
                # The streams' own subscriptions, and the bells, go to the new one.
                wait_until(lambda: heard_by(replica) > 0, "the streams move over")
                trial.fault_is_over()
            trial.verdict(burst)
            assert not burst.errors()
