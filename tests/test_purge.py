"""`manage.py purge` deletes what has had its day, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from knox.models import AuthToken

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    FailedCheckIn,
    IdempotentRequest,
    LogInAttempt,
    User,
)
from attendance.services import purge as service
from attendance.services.check_in import check_in_by_code

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def purge() -> str:
    out = StringIO()
    call_command("purge", stdout=out)
    return out.getvalue()


def make_one_of_each(student: User, name: str, ended: datetime) -> None:
    """Rows whose last day is `ended`: over a day ago they are old, ahead they count."""
    Session.objects.create(session_key=name * 8, session_data="", expire_date=ended)
    AuthToken.objects.create(user=student, expiry=ended - timezone.now())
    IdempotentRequest.objects.create(
        user=student, key=name, fingerprint="", created_at=ended - DAY
    )
    FailedCheckIn.objects.create(student=student, at=ended - 10 * MINUTE)
    LogInAttempt.objects.create(key=name, at=ended - MINUTE)


def numbers() -> dict[str, int]:
    models = (Session, AuthToken, IdempotentRequest, FailedCheckIn, LogInAttempt)
    return {model.__name__: model.objects.count() for model in models}


def test_what_has_had_its_day_is_deleted(student: User) -> None:
    now = timezone.now()
    make_one_of_each(student, "a", now - MINUTE)
    make_one_of_each(student, "b", now + MINUTE)
    said = purge()
    assert set(numbers().values()) == {1}
    assert Session.objects.get().session_key == "b" * 8
    assert IdempotentRequest.objects.get().key == LogInAttempt.objects.get().key == "b"
    for line in (
        "1 log-in sessions deleted",
        "1 API tokens deleted",
        "1 answers to repeated requests deleted",
        "1 wrong codes deleted",
        "1 log-in attempts deleted",
    ):
        assert line in said
    assert "1 " not in purge()


def test_more_than_one_batch(student: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    for name in "abcde":
        make_one_of_each(student, name, timezone.now() - MINUTE)
    assert purge().count("5 ") == 5
    assert set(numbers().values()) == {0}


def test_attendance_stays(class_session, student: User) -> None:
    check_in_by_code(
        student=student,
        code=class_session.verification_code,
        at=timezone.now(),
    )
    before = AttendanceRecord.objects.count(), AttendanceEvent.objects.count()
    purge()
    assert (AttendanceRecord.objects.count(), AttendanceEvent.objects.count()) == before
