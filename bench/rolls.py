"""Class sessions as they look in the middle of a day."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from attendance.models import (
    AttendanceRecord,
    Source,
    Status,
    VerificationMethod,
)
from attendance.services.marking import mark_in_bulk, override_status
from bench.school import School


def mark_some(school: School) -> None:
    """
    Half of the class gets a mark, as on an ordinary day.

    Most by check-in, some in bulk, five by hand; the rest is unmarked.
    """
    half = school.students[::2]
    here, away, by_hand = half[: -len(half) // 5], half[-len(half) // 5 :], half[:5]
    now = timezone.now()
    AttendanceRecord.objects.bulk_create(
        [
            AttendanceRecord(
                class_session=school.class_session,
                student=student,
                status=Status.PRESENT,
                check_in_time=now,
                verification_method=VerificationMethod.QR_CODE,
                source=Source.STUDENT,
                version=1,
            )
            for student in here
        ]
    )
    mark_in_bulk(
        class_session=school.class_session,
        actor=school.teacher,
        operation="mark_excused",
        reason="School trip",
        student_ids=[student.pk for student in away],
    )
    for student in by_hand:
        override_status(
            class_session=school.class_session,
            actor=school.teacher,
            student_id=student.pk,
            status=Status.LATE,
            reason="Seen at the door",
        )


def analyze() -> None:
    """Tell the planner of what was just loaded, as autovacuum does sooner or later."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
