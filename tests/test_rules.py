"""The rules of time, as tables: each bound to the second, from both sides."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from attendance import rules
from attendance.exceptions import CheckInClosedError, TooEarlyError

START = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


def timing(**changes):
    fields = {
        "starts_at": START,
        "grace_minutes": 5,
        "early_minutes": 15,
        "allow_late_check_in": True,
        "late_cutoff_minutes": None,
    }
    return SimpleNamespace(**{**fields, **changes})


def after(**duration):
    return START + timedelta(**duration)


@pytest.mark.parametrize(
    ("changes", "at", "expected"),
    [
        # On time up to and including the end of the grace period.
        ({}, after(), ("present", 0)),
        ({}, after(seconds=1), ("present", 0)),
        ({}, after(minutes=4, seconds=59), ("present", 0)),
        ({}, after(minutes=5), ("present", 0)),
        # Late after it, by whole minutes since the start.
        ({}, after(minutes=5, microseconds=1), ("late", 5)),
        ({}, after(minutes=5, seconds=1), ("late", 5)),
        ({}, after(minutes=5, seconds=59), ("late", 5)),
        ({}, after(minutes=6), ("late", 6)),
        ({}, after(minutes=59, seconds=59), ("late", 59)),
        # Until the session is closed: there is no other end.
        ({}, after(hours=3), ("late", 180)),
        ({}, after(days=2), ("late", 2880)),
        # Without grace the very start is on time, and nothing after it.
        ({"grace_minutes": 0}, after(), ("present", 0)),
        ({"grace_minutes": 0}, after(seconds=1), ("late", 0)),
        ({"grace_minutes": 0}, after(seconds=59), ("late", 0)),
        ({"grace_minutes": 0}, after(minutes=1), ("late", 1)),
        # Early, up to and including the bound.
        ({}, after(seconds=-1), ("present", 0)),
        ({}, after(minutes=-15), ("present", 0)),
        ({"early_minutes": 0}, after(), ("present", 0)),
        # The cut-off is inside.
        ({"late_cutoff_minutes": 20}, after(minutes=19, seconds=59), ("late", 19)),
        ({"late_cutoff_minutes": 20}, after(minutes=20), ("late", 20)),
        ({"late_cutoff_minutes": 5}, after(minutes=5), ("present", 0)),
        ({"late_cutoff_minutes": 0, "grace_minutes": 0}, after(), ("present", 0)),
        # Without late check-in, the grace period is all there is.
        ({"allow_late_check_in": False}, after(minutes=5), ("present", 0)),
    ],
)
def test_a_check_in_is_judged_by_its_second(changes, at, expected):
    assert rules.judge_check_in(timing(**changes), at) == expected


@pytest.mark.parametrize(
    ("changes", "at", "refusal"),
    [
        ({}, after(minutes=-15, microseconds=-1), TooEarlyError),
        ({}, after(minutes=-15, seconds=-1), TooEarlyError),
        ({}, after(days=-1), TooEarlyError),
        ({"early_minutes": 0}, after(seconds=-1), TooEarlyError),
        (
            {"late_cutoff_minutes": 20},
            after(minutes=20, seconds=1),
            CheckInClosedError,
        ),
        (
            {"late_cutoff_minutes": 5},
            after(minutes=5, seconds=1),
            CheckInClosedError,
        ),
        (
            {"allow_late_check_in": False},
            after(minutes=5, seconds=1),
            CheckInClosedError,
        ),
        # Where both say something the earlier end counts.
        (
            {"allow_late_check_in": False, "late_cutoff_minutes": 20},
            after(minutes=6),
            CheckInClosedError,
        ),
        (
            {"late_cutoff_minutes": 0, "grace_minutes": 0},
            after(seconds=1),
            CheckInClosedError,
        ),
    ],
)
def test_a_check_in_outside_the_bounds_is_refused(changes, at, refusal):
    with pytest.raises(refusal):
        rules.judge_check_in(timing(**changes), at)


def test_the_time_of_day_is_the_same_in_every_zone():
    at = datetime.fromisoformat("2026-09-01T11:05:01+02:00")
    assert rules.judge_check_in(timing(), at) == ("late", 5)


@pytest.mark.parametrize(
    ("status", "check_in_time", "at", "minutes"),
    [
        # From the check-in, however long ago it was.
        ("late", after(minutes=3, seconds=59), after(minutes=40), 3),
        ("late", after(minutes=12), after(minutes=40), 12),
        # Never below 0: who came early and is called late is late by 0.
        ("late", after(minutes=-10), after(minutes=40), 0),
        # Without one, from the override itself.
        ("late", None, after(minutes=40, seconds=59), 40),
        ("late", None, after(minutes=-3), 0),
        # Only who is late has minutes.
        ("present", after(minutes=12), after(minutes=40), 0),
        ("absent", None, after(minutes=40), 0),
        ("excused", after(minutes=12), after(minutes=40), 0),
    ],
)
def test_late_minutes_of_an_override(status, check_in_time, at, minutes):
    assert rules.override_late_minutes(status, START, check_in_time, at) == minutes
