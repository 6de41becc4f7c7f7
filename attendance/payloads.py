"""
The JSON objects of the contract, each built in one place.

API, live stream and pages all show what these return, so a row that arrives live is
the row that a reload would show.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attendance.models import (
    UNMARKED,
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Status,
    User,
    VerificationMethod,
)

Payload = dict[str, Any]

COUNTED = ("unmarked", "present", "late", "absent", "excused")


def iso(at: datetime) -> str:
    """ISO 8601 in UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def iso_or_none(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def record_payload(
    record: AttendanceRecord, *, class_session: ClassSession, student: User
) -> Payload:
    """A Record. `class_session` must have its course loaded."""
    return named_record_payload(
        record, class_session=class_session, name=student.display_name
    )


def named_record_payload(
    record: AttendanceRecord, *, class_session: ClassSession, name: str
) -> Payload:
    """`record_payload` where no more than the student's name is at hand."""
    return record_of_values(
        record.student_id,
        name,
        class_session.pk,
        class_session.course.name,
        record.pk,
        str(record.status),
        record.check_in_time,
        record.late_minutes,
        record.verification_method,
        record.override_reason,
        record.notes,
        record.version,
    )


def record_of_values(
    student_id: int,
    student_name: str,
    class_session_id: int,
    class_name: str,
    record_id: int | None,
    status: str,
    check_in_time: datetime | None,
    late_minutes: int,
    verification_method: str | None,
    override_reason: str | None,
    notes: str,
    version: int,
) -> Payload:
    """A Record from plain values: a roster has thousands, and models cost more."""
    return {
        "id": record_id,
        "student_id": student_id,
        "student_name": student_name,
        "class_session_id": class_session_id,
        "class_name": class_name,
        "attendance_status": status,
        "check_in_time": iso_or_none(check_in_time),
        "is_late": status == Status.LATE,
        "late_minutes": late_minutes,
        "verification_method": (
            None if status == UNMARKED else str(verification_method)
        ),
        "is_manual_override": (
            verification_method == VerificationMethod.TEACHER_OVERRIDE
        ),
        "override_reason": override_reason,
        "notes": notes,
        "version": version,
    }


def unmarked_payload(*, class_session: ClassSession, student: User) -> Payload:
    """The Record of somebody on the roster who has none yet."""
    return unmarked_of_values(
        student.pk, student.display_name, class_session.pk, class_session.course.name
    )


def unmarked_of_values(
    student_id: int, student_name: str, class_session_id: int, class_name: str
) -> Payload:
    """`unmarked_payload` from plain values."""
    return {
        "id": None,
        "student_id": student_id,
        "student_name": student_name,
        "class_session_id": class_session_id,
        "class_name": class_name,
        "attendance_status": UNMARKED,
        "check_in_time": None,
        "is_late": False,
        "late_minutes": 0,
        "verification_method": None,
        "is_manual_override": False,
        "override_reason": None,
        "notes": "",
        "version": 0,
    }


def count_statuses(records: list[Payload]) -> Payload:
    """The counts of a class session whose roster is `records`."""
    counts = {"enrolled": len(records), **dict.fromkeys(COUNTED, 0)}
    for record in records:
        counts[record["attendance_status"]] += 1
    return counts


def class_session_payload(class_session: ClassSession, counts: Payload) -> Payload:
    """A Class session, as its teachers see it. Needs its course loaded."""
    return {
        "id": class_session.pk,
        "course_id": class_session.course_id,
        "class_name": class_session.course.name,
        "title": class_session.title,
        "location": class_session.location,
        "starts_at": iso(class_session.starts_at),
        "ends_at": iso(class_session.ends_at),
        "state": str(class_session.state),
        "grace_minutes": class_session.grace_minutes,
        "early_minutes": class_session.early_minutes,
        "allow_late_check_in": class_session.allow_late_check_in,
        "late_cutoff_minutes": class_session.late_cutoff_minutes,
        "verification_code": class_session.verification_code,
        "revision": class_session.revision,
        "counts": counts,
    }


def person_payload(user: User | None) -> Payload | None:
    """Who did something; None for nobody in particular."""
    return None if user is None else {"id": user.pk, "name": user.display_name}


def message_payload(event: AttendanceEvent) -> Payload:
    """The live message of an event: the same JSON whenever it is sent."""
    return {
        "type": str(event.type),
        "revision": event.revision,
        "class_session_id": event.class_session_id,
        "timestamp": iso(event.at),
        "data": event.data,
    }
