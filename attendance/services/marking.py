"""Marks set by hand: the override of one record and the bulk operation."""

from __future__ import annotations

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from attendance import events, rules, selectors
from attendance.exceptions import (
    InvalidInputError,
    NotFoundError,
    VersionConflictError,
)
from attendance.models import (
    AttendanceRecord,
    ClassSession,
    MessageType,
    State,
    Status,
    User,
    VerificationMethod,
)
from attendance.payloads import Payload, record_payload, unmarked_payload
from attendance.services.records import (
    SessionMovedError,
    claim_record,
    claim_records,
    judged_again,
)

REASON_MAX_LENGTH = 500
NOTES_MAX_LENGTH = 2000
NOT_ON_ROSTER = "This student is not on the roster of the class session."

OPERATIONS = {
    "mark_present": Status.PRESENT,
    "mark_late": Status.LATE,
    "mark_absent": Status.ABSENT,
    "mark_excused": Status.EXCUSED,
}


def _clean_reason(reason: str) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_MAX_LENGTH:
        raise InvalidInputError(
            {"reason": [f"Give a reason of 1 to {REASON_MAX_LENGTH} characters."]}
        )
    return reason


def _clean_notes(notes: str | None) -> str | None:
    if notes is not None and len(notes) > NOTES_MAX_LENGTH:
        raise InvalidInputError(
            {"notes": [f"Notes have at most {NOTES_MAX_LENGTH} characters."]}
        )
    return notes


@judged_again
@transaction.atomic
def override_status(
    *,
    class_session: ClassSession,
    actor: User,
    student_id: int,
    status: str,
    reason: str,
    notes: str | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Payload:
    """
    Set one student's status by hand and return the Record.

    `notes` None leaves them as they are. With `version`, only if the record still has
    it (0: unmarked). The check-in time is kept; a mark set by hand that is already so
    is left alone, without a message. Raises NotFoundError when the student is not on
    the roster, VersionConflictError with the current Record, InvalidInputError.
    """
    at = at or timezone.now()
    reason, notes = _clean_reason(reason), _clean_notes(notes)
    if status not in Status.values:
        raise InvalidInputError({"status": [f"There is no status {status!r}."]})
    # Read anew: it may have been edited or closed since the caller loaded it.
    class_session = _read(class_session)
    student = User.objects.filter(pk=student_id).first()
    if student is None or not _on_roster(class_session, student):
        raise NotFoundError(NOT_ON_ROSTER)

    record = claim_record(class_session, student.pk)
    if version is not None and version != record.version:
        raise VersionConflictError(
            record=unmarked_payload(class_session=class_session, student=student)
            if record.is_unmarked
            else record_payload(record, class_session=class_session, student=student)
        )
    wanted_notes = record.notes if notes is None else notes
    if record.is_manual_override and (
        (record.status, record.override_reason, record.notes)
        == (status, reason, wanted_notes)
    ):
        return record_payload(record, class_session=class_session, student=student)

    old_status = None if record.is_unmarked else record.status
    record.status = status
    record.late_minutes = rules.override_late_minutes(
        status, class_session.starts_at, record.check_in_time, at
    )
    record.verification_method = VerificationMethod.TEACHER_OVERRIDE
    record.override_reason = reason
    record.notes = wanted_notes
    record.version += 1
    record.save()
    if events.next_revision(class_session, unmoved=True) is None:
        raise SessionMovedError
    changed = events.changed_record(
        record,
        class_session=class_session,
        student=student,
        old_status=old_status,
        at=at,
    )
    events.append(
        class_session,
        type=MessageType.ATTENDANCE_UPDATE,
        data=events.override_data(changed, reason=reason, actor=actor),
        actor=actor,
        at=at,
        student_id=student.pk,
    )
    return record_payload(record, class_session=class_session, student=student)


def _on_roster(class_session: ClassSession, student: User) -> bool:
    if class_session.records.filter(student=student).exists():
        return True
    return class_session.state != State.CLOSED and selectors.is_enrolled(
        student, class_session.course_id
    )


def _read(class_session: ClassSession) -> ClassSession:
    return ClassSession.objects.select_related("course").get(pk=class_session.pk)


@dataclasses.dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What a bulk operation did; the three counts add up to those asked for."""

    operation_id: str
    operation: str
    records: list[Payload]
    unchanged_count: int
    failed_student_ids: list[int]

    @property
    def processed_count(self) -> int:
        return len(self.records)

    @property
    def failed_count(self) -> int:
        return len(self.failed_student_ids)


@judged_again
@transaction.atomic
def mark_in_bulk(
    *,
    class_session: ClassSession,
    actor: User,
    operation: str,
    reason: str,
    student_ids: Sequence[int] | None = None,
    only_unmarked: bool = False,
    notes: str | None = None,
    at: datetime | None = None,
) -> BulkOutcome:
    """
    Set many students' status by hand: one transaction, one message.

    `student_ids` None is the whole roster; repeated ids count once. Who has the
    status already, or with `only_unmarked` has any record, is unchanged: judged under
    the record's lock, so a check-in that lands meanwhile is never overwritten by an
    operation on the unmarked. Who is not on the roster is reported, not an error.
    """
    at = at or timezone.now()
    reason, notes = _clean_reason(reason), _clean_notes(notes)
    if operation not in OPERATIONS:
        raise InvalidInputError({"operation": [f"There is no {operation!r}."]})
    if student_ids is not None and not student_ids:
        raise InvalidInputError({"student_ids": ["Name at least one student."]})

    current = _read(class_session)
    on_roster = selectors.roster_student_ids(current)
    asked = on_roster if student_ids is None else set(student_ids)
    candidates = asked & on_roster
    to_claim = candidates
    if only_unmarked:
        # Rows that are there need neither a lock nor a look.
        to_claim = candidates - set(
            current.records.values_list("student_id", flat=True)
        )
    records = claim_records(current, to_claim)
    status = OPERATIONS[operation]
    chosen = [
        record
        for record in records.values()
        if record.is_unmarked or not (only_unmarked or record.status == status)
    ]
    operation_id = str(uuid.uuid4())
    changed = apply_mark(
        current,
        chosen,
        status=status,
        method=VerificationMethod.TEACHER_OVERRIDE,
        reason=reason,
        notes=notes,
        at=at,
    )
    outcome = BulkOutcome(
        operation_id=operation_id,
        operation=operation,
        records=[record for record, _ in changed],
        unchanged_count=len(candidates) - len(changed),
        failed_student_ids=sorted(asked - on_roster),
    )
    if changed:
        if events.next_revision(current, unmoved=True) is None:
            raise SessionMovedError
        events.append(
            current,
            type=MessageType.ATTENDANCE_UPDATE,
            data=events.bulk_data(
                "bulk",
                operation=operation,
                operation_id=operation_id,
                records=[message for _, message in changed],
                unchanged_count=outcome.unchanged_count,
                failed_count=outcome.failed_count,
                reason=reason,
                actor=actor,
            ),
            actor=actor,
            at=at,
        )
    return outcome


def apply_mark(
    class_session: ClassSession,
    records: Sequence[AttendanceRecord],
    *,
    status: Status,
    method: VerificationMethod,
    reason: str | None,
    notes: str | None,
    at: datetime,
) -> list[tuple[Payload, Payload]]:
    """
    Give all the claimed `records` one mark, in a number of statements that does not
    grow with them; return each as Record and as changed record, in roster order.
    """
    if not records:
        return []
    students = User.objects.in_bulk([record.student_id for record in records])
    by_minutes: dict[int, list[int]] = defaultdict(list)
    old_statuses: dict[int, str | None] = {}
    for record in records:
        old_statuses[record.pk] = None if record.is_unmarked else record.status
        record.status = status
        record.late_minutes = rules.override_late_minutes(
            status, class_session.starts_at, record.check_in_time, at
        )
        record.verification_method = method
        record.override_reason = reason
        if notes is not None:
            record.notes = notes
        record.version += 1
        by_minutes[record.late_minutes].append(record.pk)

    values: dict[str, object] = {
        "status": status,
        "verification_method": method,
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

    ordered = sorted(
        records, key=lambda record: selectors.name_order(students[record.student_id])
    )
    changed = []
    for record in ordered:
        student = students[record.student_id]
        changed.append(
            (
                record_payload(record, class_session=class_session, student=student),
                events.changed_record(
                    record,
                    class_session=class_session,
                    student=student,
                    old_status=old_statuses[record.pk],
                    at=at,
                ),
            )
        )
    return changed
