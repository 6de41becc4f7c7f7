"""
What the domain counts, for whoever watches over the site.

Counting costs a microsecond or two and never waits. `docs/operation.md` says what each
figure means to an operator; `attendance_site/metrics.py` shows them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from prometheus_client import Counter, Gauge

from attendance.exceptions import AttendanceError


class _CheckIn(Protocol):
    @property
    def already_checked_in(self) -> bool: ...


P = ParamSpec("P")
R = TypeVar("R", bound=_CheckIn)

_CHECK_INS = Counter(
    "attendance_check_ins",
    "Check-ins by method and outcome: created, already, a refusal's code, or fault.",
    ["method", "outcome"],
)
_PUBLICATIONS = Counter(
    "attendance_publications",
    "Messages to the channel layer, one for each group: sent, failed or dropped.",
    ["outcome"],
)
PUBLICATIONS_SENT = _PUBLICATIONS.labels("sent")
PUBLICATIONS_FAILED = _PUBLICATIONS.labels("failed")
PUBLICATIONS_DROPPED = _PUBLICATIONS.labels("dropped")
PUBLISH_QUEUE = Gauge(
    "attendance_publish_queue",
    "Messages that wait to be published or are on their way.",
    # The sum over the processes that live; one that has ended has no queue.
    multiprocess_mode="livesum",
)


def count_check_ins(
    method: str,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Count how the check-ins of the decorated service end."""

    def decorate(service: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(service)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            outcome = "fault"
            try:
                result = service(*args, **kwargs)
                outcome = "already" if result.already_checked_in else "created"
                return result
            except AttendanceError as refusal:
                outcome = refusal.code
                raise
            finally:
                _CHECK_INS.labels(method, outcome).inc()

        return counted

    return decorate
