"""
The rules of time and of precedence: pure functions, the time is an argument.

Source of those of time: contract, "Objects" (late rule, self check-in, override).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from attendance.exceptions import CheckInClosedError, TooEarlyError
from attendance.models.record import Source, Status

# The budget against guessing codes and forging tokens (contract, "Conventions").
CHECK_IN_FAILURES = 10
CHECK_IN_WINDOW = timedelta(minutes=10)


class Timing(Protocol):
    """What the rules look at in a class session."""

    starts_at: datetime
    grace_minutes: int
    early_minutes: int
    allow_late_check_in: bool
    late_cutoff_minutes: int | None


def late_minutes(starts_at: datetime, at: datetime) -> int:
    """Whole minutes from `starts_at` to `at`, at least 0."""
    return max(0, (at - starts_at) // timedelta(minutes=1))


def judge_check_in(timing: Timing, at: datetime) -> tuple[Status, int]:
    """
    Status and late minutes of a student who checks in at `at`.

    On time up to and including the end of the grace period, late after it. Raises
    TooEarlyError more than `early_minutes` before the start, and CheckInClosedError
    after the grace period where late check-in is not allowed or after the cut-off
    (a check-in at the very second of a bound is inside it).
    """
    after_start = at - timing.starts_at
    if after_start < -timedelta(minutes=timing.early_minutes):
        raise TooEarlyError
    if is_on_time(timing, at):
        return Status.PRESENT, 0
    if not timing.allow_late_check_in:
        raise CheckInClosedError
    cutoff = timing.late_cutoff_minutes
    if cutoff is not None and after_start > timedelta(minutes=cutoff):
        raise CheckInClosedError
    return Status.LATE, late_minutes(timing.starts_at, at)


def is_on_time(timing: Timing, at: datetime) -> bool:
    """Whether `at` is no later than the end of the grace period."""
    return at - timing.starts_at <= timedelta(minutes=timing.grace_minutes)


def override_late_minutes(
    status: str, starts_at: datetime, check_in_time: datetime | None, at: datetime
) -> int:
    """Late minutes of a mark set by hand at `at`; from the check-in, if any."""
    if status != Status.LATE:
        return 0
    return late_minutes(starts_at, check_in_time or at)


def may_replace(source: Source, standing: Source) -> bool:
    """
    Whether a mark from `source` may take the place of one from `standing`.

    Administrator, teacher, student, automatic: the weaker never replaces the stronger;
    equals do. (That a check-in leaves an earlier check-in alone is not precedence but
    that nothing would change.)
    """
    return source.rank >= standing.rank


def contradicts(claimed: str, standing: str, *, by_check_in: bool) -> bool:
    """
    Whether the status that a weaker source claims speaks against the one that stands.

    A check-in says that somebody is here now: it speaks against "absent" and
    "excused", and on time against "late", but never against "present", for who was
    seen on time may well scan later.
    """
    if by_check_in and standing == Status.PRESENT:
        return False
    return claimed != standing
