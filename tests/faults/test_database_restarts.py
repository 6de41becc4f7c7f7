"""PostgreSQL restarts: streams are closed so that they come back, and catch up."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.faults.bursts import Burst
from tests.faults.school import make_school
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT, open_stream
from tests.servers import PostgresServer, SiteServer


def test_a_database_that_goes_away_closes_the_stream(
    own_database: PostgresServer,
) -> None:
    """1011, so that the client comes back; and coming back works."""
    school = make_school(1)
    (student,) = school.students
    headers = {"Authorization": f"Bearer {school.token(student)}"}
    with SiteServer(env=FAST_HEARTBEAT) as site:
        with open_stream(site, "me/", headers=headers) as stream:
            assert stream.next()["type"] == "snapshot"
            own_database.stop()
            assert stream.close_code() == 1011
        own_database.start()
        with open_stream(site, "me/", headers=headers) as stream:
            assert stream.next()["type"] == "snapshot"


@pytest.mark.parametrize("how", ["restarted", "killed and restarted"])
def test_postgresql_restarted_in_a_burst(
    own_database: PostgresServer, record_property: RecordProperty, how: str
) -> None:
    school = make_school()
    fault = f"PostgreSQL {how} in a burst"
    with (
        SiteServer(env=FAST_HEARTBEAT) as one,
        SiteServer(env=FAST_HEARTBEAT) as other,
        Trial(fault, school, record_property) as trial,
    ):
        trial.watch_everywhere([one, other])
        with Burst(school, [one, other]) as burst:
            burst.wait_for(20)
            if how == "restarted":
                own_database.stop()
            else:
                own_database.kill()
            burst.wait_for_error()
            own_database.start()
            # This process's own connection went with it.
            connection.close()
            trial.fault_is_over()
        trial.verdict(burst)
