"""What all who set marks by hand share: their input, and writing many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from attendance import events, rules, selectors
from attendance.exceptions import InvalidInputError
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    Course,
    Source,
    Status,
    User,
    VerificationMethod,
)
from attendance.payloads import Payload, iso_or_none, record_payload, unmarked_payload

REASON_MAX_LENGTH = 500
NOTES_MAX_LENGTH = 2000

# A changed record twice: as Record, and as messages tell of it.
Changed = tuple[Payload, Payload]


def clean_reason(reason: str) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_MAX_LENGTH:
        raise InvalidInputError(
            {"reason": [f"Give a reason of 1 to {REASON_MAX_LENGTH} characters."]}
        )
    return reason


def clean_notes(notes: str | None) -> str | None:
    if notes is not None and len(notes) > NOTES_MAX_LENGTH:
        raise InvalidInputError(
            {"notes": [f"Notes have at most {NOTES_MAX_LENGTH} characters."]}
        )
    return notes


def read_session(class_session: ClassSession) -> ClassSession:
    """The class session anew: it may have changed since the caller loaded it."""
    return ClassSession.objects.select_related("course").get(pk=class_session.pk)


def lock_course(class_session: ClassSession) -> None:
    """
    Until the transaction ends let nobody become unmarked: by enrolling, or by an undo.

    The first lock of all who take it, before any record's.
    """
    Course.objects.select_for_update(no_key=True).get(pk=class_session.course_id)


def payload_of(
    record: AttendanceRecord, class_session: ClassSession, student: User
) -> Payload:
    """The Record, also of a row that was only claimed."""
    if record.version == 0:
        return unmarked_payload(class_session=class_session, student=student)
    return record_payload(record, class_session=class_session, student=student)


# What an event keeps of records as they were ----------------------------------------


def states_of(records: Sequence[AttendanceRecord]) -> Payload:
    """What an undo needs of the records before they change, by student id."""
    return {
        str(record.student_id): {
            "status": str(record.status),
            "check_in_time": iso_or_none(record.check_in_time),
            "late_minutes": record.late_minutes,
            "verification_method": str(record.verification_method),
            "source": str(record.source),
            "override_reason": record.override_reason,
            "notes": record.notes,
            "version": record.version,
        }
        for record in records
        if not record.is_unmarked
    }


def put_back(record: AttendanceRecord, state: Payload | None) -> None:
    """Make `record` what it was; None: unmarked. The version counts on."""
    if state is None:
        record.status = UNMARKED
        record.check_in_time = None
        record.late_minutes = 0
        record.verification_method = None
        record.source = Source.AUTOMATIC
        record.override_reason = None
        record.notes = ""
    else:
        at = state["check_in_time"]
        record.status = state["status"]
        record.check_in_time = None if at is None else datetime.fromisoformat(at)
        record.late_minutes = state["late_minutes"]
        record.verification_method = state["verification_method"]
        record.source = state["source"]
        record.override_reason = state["override_reason"]
        record.notes = state["notes"]
    record.version += 1


# Writing many ---------------------------------------------------------------------


def apply_mark(
    class_session: ClassSession,
    records: Sequence[AttendanceRecord],
    *,
    status: Status,
    method: VerificationMethod,
    source: Source,
    reason: str | None,
    notes: str | None,
    at: datetime,
) -> list[Changed]:
    """
    Give all the claimed `records` one mark, in a number of statements that does not
    grow with them; return them as changed, in roster order.
    """
    by_minutes: dict[int, list[int]] = defaultdict(list)

    def mark(record: AttendanceRecord) -> None:
        record.status = status
        record.late_minutes = rules.override_late_minutes(
            status, class_session.starts_at, record.check_in_time, at
        )
        record.verification_method = method
        record.source = source
        record.override_reason = reason
        if notes is not None:
            record.notes = notes
        record.version += 1
        by_minutes[record.late_minutes].append(record.pk)

    changed = change_all(class_session, records, mark, at)
    if not changed:
        return []
    values: dict[str, Any] = {
        "status": status,
        "verification_method": method,
        "source": source,
        "override_reason": reason,
        "version": F("version") + 1,
    }
    if notes is not None:
        values["notes"] = notes
    claimed = AttendanceRecord.objects.filter(pk__in=[r.pk for r in records])
    if len(by_minutes) == 1:
        claimed.update(**values, late_minutes=records[0].late_minutes)
    else:
        claimed.update(**values, late_minutes=0)
        AttendanceRecord.objects.bulk_update(records, ["late_minutes"])
    return changed


def change_all(
    class_session: ClassSession,
    records: Sequence[AttendanceRecord],
    change: Callable[[AttendanceRecord], None],
    at: datetime,
) -> list[Changed]:
    """Change each of `records` in memory; return them as changed, in roster order."""
    people = User.objects.filter(pk__in=[record.student_id for record in records])
    students = {student.pk: student for student in people.only("name", "username")}
    ordered = sorted(
        records, key=lambda record: selectors.name_order(students[record.student_id])
    )
    changed = []
    for record in ordered:
        old_status = record.status
        change(record)
        payload = record_payload(
            record, class_session=class_session, student=students[record.student_id]
        )
        message = events.changed_payload(payload, old_status=old_status, at=at)
        changed.append((payload, message))
    return changed
