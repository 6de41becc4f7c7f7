"""A socket that stops reading, and two hundred that come at once."""

from __future__ import annotations

import pytest

from attendance.services.marking import mark_in_bulk
from tests.faults.bursts import Burst
from tests.faults.school import School, make_school
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)

# With the usual fifteen seconds of patience the test would only take longer.
IMPATIENT = {**FAST_HEARTBEAT, "ATTENDANCE_UNREAD_SECONDS": "2"}
NOT_READING = 4408


def test_a_socket_that_stops_reading(
    transactional_db: None, record_property: RecordProperty
) -> None:
    """The others see everything meanwhile; it is closed, comes back and catches up."""
    school = make_school(300)
    fault = "a socket that stops reading"
    with (
        SiteServer(env=IMPATIENT) as site,
        Trial(fault, school, record_property) as trial,
    ):
        trial.watch_everywhere([site])
        sleeper = trial.watch(site, school.teacher)
        trial.wait_until_shown()
        sleeper.stop_reading()
        awake = [screen for screen in trial.screens.teachers if screen is not sleeper]
        # 130 kB each: more than what the kernels hold for a socket.
        for number in range(60):
            mark_in_bulk(
                class_session=school.class_session,
                actor=school.teacher,
                operation="mark_absent" if number % 2 else "mark_present",
                reason="again and again",
            )
            trial.screens.wait_for(number + 2, *awake)
        seen = awake[0].frames_seen
        trial.screens.wait_until(
            lambda: awake[0].frames_seen >= seen + 4,
            10,
            "heartbeats of longer than its patience",
        )
        assert sleeper.revision < 60
        sleeper.read_on()
        trial.fault_is_over()
        trial.verdict()
        assert sleeper.codes == [NOT_READING]


def test_two_hundred_sockets_at_once(
    sites: tuple[SiteServer, SiteServer],
    school: School,
    record_property: RecordProperty,
) -> None:
    """They come at one process while students check in at both."""
    fault = "200 sockets that connect at once, in a burst"
    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere(sites)
        with Burst(school, sites) as burst:
            burst.wait_for(5)
            for number in range(200):
                user = school.co_teacher if number % 2 else school.teacher
                trial.watch(sites[0], user)
            trial.fault_is_over()
        trial.verdict(burst)
        assert not burst.errors()
