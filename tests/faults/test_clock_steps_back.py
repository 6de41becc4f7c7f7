"""The server's clock goes back an hour: order and completeness do not hang on it."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from attendance.models import AttendanceEvent
from tests.faults.bursts import Burst
from tests.faults.school import make_school
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT
from tests.servers import SiteServer

STEPPED = {"DJANGO_SETTINGS_MODULE": "tests.faults.stepped_clock", **FAST_HEARTBEAT}


@pytest.mark.django_db(transaction=True)
def test_the_clock_stepped_back_in_a_burst(
    sites: tuple[SiteServer, SiteServer], record_property: RecordProperty
) -> None:
    """At one process of two, so that times also go to and fro."""
    now = timezone.now()
    school = make_school(
        starts_at=now - timedelta(hours=2),
        ends_at=now + timedelta(hours=2),
        grace_minutes=200,
    )
    _, other = sites
    fault = "the clock of one process back an hour, in a burst"
    with (
        SiteServer(env=STEPPED) as site,
        Trial(fault, school, record_property) as trial,
    ):
        trial.watch_everywhere([site, other])
        with Burst(school, [site, other]) as burst:
            burst.wait_for(20)
            os.kill(site.pid, signal.SIGUSR1)
            trial.fault_is_over()
            # Pages that are opened after it are right as well.
            trial.watch(site, school.co_teacher)
        trial.verdict(burst)
        assert not burst.errors()
        assert {code for screen in trial.screens.all for code in screen.codes} == set()

    events = AttendanceEvent.objects.filter(class_session=school.class_session)
    times = list(events.order_by("revision").values_list("at", flat=True))
    assert min(times) < times[0] - timedelta(minutes=50), "the clock did not move"
    assert times != sorted(times)
