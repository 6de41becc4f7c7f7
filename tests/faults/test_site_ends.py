"""A process of the site ends in a burst, killed or stopped, and starts again."""

from __future__ import annotations

import pytest

from tests.faults.bursts import Burst
from tests.faults.school import School
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_daphne_ended_and_started_again_in_a_burst(
    sites: tuple[SiteServer, SiteServer],
    school: School,
    record_property: RecordProperty,
    how: str,
) -> None:
    _, other = sites
    fault = f"daphne {how} and started again in a burst"
    with (
        SiteServer(env=FAST_HEARTBEAT) as site,
        Trial(fault, school, record_property) as trial,
    ):
        trial.watch_everywhere([site, other])
        with Burst(school, [site, other]) as burst:
            burst.wait_for(20)
            if how == "killed":
                site.kill()
            else:
                site.stop()
            burst.wait_for_error()
            burst.wait_for(30)
            site.start()
            trial.fault_is_over()
        trial.verdict(burst)
        for screen in trial.screens.teachers:
            visits = 1 if screen.site is other else 2
            assert len(screen.frames) >= visits
