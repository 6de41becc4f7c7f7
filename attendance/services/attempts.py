"""
Budgets against guessing, per person: no class behind one address is ever locked out.

Kept in the database, so they hold across processes and need no cache.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from datetime import datetime, timedelta

from django.db import connection, transaction

from attendance.exceptions import LogInThrottledError, TooManyAttemptsError
from attendance.models import FailedCheckIn, LogInAttempt, User
from attendance.rules import CHECK_IN_FAILURES, CHECK_IN_WINDOW

LOG_INS = 10
LOG_IN_WINDOW = timedelta(minutes=1)


def require_check_in_budget(student: User, at: datetime) -> None:
    """Raise TooManyAttemptsError while ten failures lie within ten minutes."""
    recent = list(
        FailedCheckIn.objects.filter(student=student, at__gt=at - CHECK_IN_WINDOW)
        .order_by("-at")
        .values_list("at", flat=True)[:CHECK_IN_FAILURES]
    )
    if len(recent) == CHECK_IN_FAILURES:
        raise budget_used_up(recent[-1], at)


def budget_used_up(since: datetime, at: datetime) -> TooManyAttemptsError:
    """The refusal while the oldest failure that counts is of `since`."""
    return TooManyAttemptsError(_seconds_until(since + CHECK_IN_WINDOW, at))


def count_failed_check_in(student: User, at: datetime) -> None:
    """
    Count a wrong code or forged token, in a transaction of its own.

    Of several that arrive at once no more than the budget is answered as wrong; the
    rest raise TooManyAttemptsError.
    """
    with transaction.atomic():
        # Serialises this student's failures, nobody else's.
        User.objects.select_for_update(no_key=True).only("pk").get(pk=student.pk)
        require_check_in_budget(student, at)
        FailedCheckIn.objects.filter(
            student=student, at__lte=at - CHECK_IN_WINDOW
        ).delete()
        FailedCheckIn.objects.create(student=student, at=at)


def count_log_in(username: str, address: str, at: datetime) -> None:
    """
    Count a log-in attempt before it is judged, right or wrong.

    Raises LogInThrottledError, and counts nothing, while there are ten within a minute
    of the same user name and address together: who waits as told gets in. User names
    are compared without regard to case and spelling.
    """
    # As the log-in forms do, so that no other spelling has a budget of its own.
    name = unicodedata.normalize("NFKC", username.strip()).casefold()
    key = hashlib.sha256(f"{name}\0{address}".encode()).hexdigest()
    since = at - LOG_IN_WINDOW
    with transaction.atomic():
        _one_at_a_time(key)
        recent = list(
            LogInAttempt.objects.filter(key=key, at__gt=since)
            .order_by("-at", "-pk")
            .values_list("at", flat=True)[:LOG_INS]
        )
        if len(recent) == LOG_INS:
            raise LogInThrottledError(_seconds_until(recent[-1] + LOG_IN_WINDOW, at))
        _forget_log_ins(since)
        LogInAttempt.objects.create(key=key, at=at)


def _one_at_a_time(key: str) -> None:
    """
    Let no other log-in with this key be counted until the transaction ends.

    There is no row to lock: the user name may be nobody's. SQLite has one writer.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # 15 hexadecimal digits fit the bigint that names an advisory lock.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(key[:15], 16)])


def _forget_log_ins(until: datetime) -> None:
    """Delete what no longer counts, but for rows that another log-in is deleting."""
    old = LogInAttempt.objects.filter(at__lte=until).order_by("pk")
    LogInAttempt.objects.filter(
        pk__in=old.select_for_update(skip_locked=True).values("pk")
    ).delete()


def _seconds_until(until: datetime, at: datetime) -> int:
    return max(1, math.ceil((until - at).total_seconds()))
