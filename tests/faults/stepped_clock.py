"""Settings for a site process whose wall clock goes back an hour at SIGUSR1."""

import datetime
import signal

import time_machine

from attendance_site.settings import *  # noqa: F403

STEP = datetime.timedelta(hours=1)


def step_back(*_: object) -> None:
    """As a correction of the clock does: it goes on from there, monotonic unmoved."""
    earlier = datetime.datetime.now(datetime.UTC) - STEP
    time_machine.travel(earlier, tick=True).start()


signal.signal(signal.SIGUSR1, step_back)
