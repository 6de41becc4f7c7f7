"""What all who set marks by hand share: their input, and writing many at once."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from attendance import events, rules
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
from attendance.payloads import (
    Payload,
    iso_or_none,
    named_record_payload,
    record_of_values,
    record_payload,
    unmarked_payload,
)
from attendance.services.records import insert_records

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


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """What is said of many students at once. `notes` None leaves them as they are."""

    status: Status
    method: VerificationMethod
    source: Source
    at: datetime
    reason: str | None = None
    notes: str | None = None

    def late_minutes(
        self, class_session: ClassSession, check_in_time: datetime | None = None
    ) -> int:
        """Of whoever checked in at that time, or not at all."""
        return rules.override_late_minutes(
            self.status, class_session.starts_at, check_in_time, self.at
        )


def insert_marked(
    class_session: ClassSession, names: Mapping[int, str], mark: Mark
) -> dict[int, Changed]:
    """
    Give each of these students, who have no record, one with this mark.

    By student id, in the order of `names`; without those for whom somebody else has
    made a record meanwhile. What is told of them is made beforehand, but for the new
    ids: from the insertion to the commit these students' check-ins wait.
    """
    if not names:
        return {}
    minutes, notes = mark.late_minutes(class_session), mark.notes or ""
    new: dict[int, Changed] = {}
    for student_id, name in names.items():
        payload = record_of_values(
            student_id,
            name,
            class_session.pk,
            class_session.course.name,
            None,
            str(mark.status),
            None,
            minutes,
            mark.method,
            mark.reason,
            notes,
            1,
        )
        message = events.changed_payload(payload, old_status=UNMARKED, at=mark.at)
        new[student_id] = (payload, message)
    inserted = insert_records(
        class_session,
        names,
        status=mark.status.value,
        late_minutes=minutes,
        verification_method=mark.method.value,
        source=mark.source.value,
        override_reason=mark.reason,
        notes=notes,
        version=1,
    )
    for student_id in names.keys() - inserted.keys():
        del new[student_id]
    for student_id, (payload, message) in new.items():
        payload["id"] = message["id"] = inserted[student_id]
    return new


def apply_mark(
    class_session: ClassSession,
    records: Sequence[AttendanceRecord],
    names: Mapping[int, str],
    mark: Mark,
) -> dict[int, Changed]:
    """
    Give all the claimed `records` one mark; return them as changed, by student id.

    In a number of statements that does not grow with them. `names` has at least
    theirs.
    """
    if not records:
        return {}
    by_minutes: dict[int, list[int]] = defaultdict(list)

    def change(record: AttendanceRecord) -> None:
        record.status = mark.status
        record.late_minutes = mark.late_minutes(class_session, record.check_in_time)
        record.verification_method = mark.method
        record.source = mark.source
        record.override_reason = mark.reason
        if mark.notes is not None:
            record.notes = mark.notes
        record.version += 1
        by_minutes[record.late_minutes].append(record.pk)

    changed = change_all(class_session, records, names, change, mark.at)
    values: dict[str, Any] = {
        "status": mark.status,
        "verification_method": mark.method,
        "source": mark.source,
        "override_reason": mark.reason,
        "version": F("version") + 1,
    }
    if mark.notes is not None:
        values["notes"] = mark.notes
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
    names: Mapping[int, str],
    change: Callable[[AttendanceRecord], None],
    at: datetime,
) -> dict[int, Changed]:
    """Change each of `records` in memory; return them as changed, by student id."""
    changed = {}
    for record in records:
        old_status = record.status
        change(record)
        payload = named_record_payload(
            record, class_session=class_session, name=names[record.student_id]
        )
        message = events.changed_payload(payload, old_status=old_status, at=at)
        changed[record.student_id] = (payload, message)
    return changed
