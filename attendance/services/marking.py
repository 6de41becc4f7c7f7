"""Marks set by hand: the override of one record, and the bulk operation."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from attendance import events, rules, selectors
from attendance.exceptions import (
    InvalidInputError,
    NotFoundError,
    OverruledError,
    VersionConflictError,
)
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    MessageType,
    Source,
    State,
    Status,
    User,
    VerificationMethod,
)
from attendance.payloads import Payload
from attendance.services.marks import (
    Mark,
    apply_mark,
    clean_notes,
    clean_reason,
    insert_marked,
    lock_course,
    payload_of,
    read_session,
    states_of,
)
from attendance.services.precedence import is_overruled, keep_overruled
from attendance.services.records import (
    SessionMovedError,
    claim_record,
    judged_again,
    lock_records,
)

NOT_ON_ROSTER = "This student is not on the roster of the class session."

OPERATIONS = {
    "mark_present": Status.PRESENT,
    "mark_late": Status.LATE,
    "mark_absent": Status.ABSENT,
    "mark_excused": Status.EXCUSED,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Override:
    """
    The outcome for one student: the Record as it is now.

    `operation_id` names the change, to undo it; None: nothing changed. `overruled`: a
    stronger mark stands, and what was said is kept beside it.
    """

    record: Payload
    operation_id: uuid.UUID | None = None
    overruled: bool = False


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
) -> Override:
    """
    Set one student's status by hand.

    `notes` None leaves them as they are. With `version`, only if the record still has
    it (0: unmarked). The check-in time is kept; a mark set by hand that is already so
    is left alone, without a message. Raises NotFoundError when the student is not on
    the roster, VersionConflictError and OverruledError with the current Record,
    InvalidInputError.
    """
    reason, notes = clean_reason(reason), clean_notes(notes)
    if status not in Status.values:
        raise InvalidInputError({"status": [f"There is no status {status!r}."]})
    outcome = _override(
        class_session,
        actor,
        student_id,
        status,
        reason,
        notes,
        version,
        at or timezone.now(),
    )
    if outcome.overruled:
        # Only now, with the transaction behind us: what was said is kept all the same.
        raise OverruledError(record=outcome.record)
    return outcome


@judged_again
@transaction.atomic
def _override(
    class_session: ClassSession,
    actor: User,
    student_id: int,
    status: str,
    reason: str,
    notes: str | None,
    version: int | None,
    at: datetime,
) -> Override:
    class_session = read_session(class_session)
    student = User.objects.filter(pk=student_id).first()
    if student is None or not _on_roster(class_session, student):
        raise NotFoundError(NOT_ON_ROSTER)

    record = claim_record(class_session, student.pk)
    if version is not None and version != record.version:
        raise VersionConflictError(record=payload_of(record, class_session, student))
    wanted_notes = record.notes if notes is None else notes
    if record.is_manual_override and (
        (record.status, record.override_reason, record.notes)
        == (status, reason, wanted_notes)
    ):
        return Override(payload_of(record, class_session, student))

    source = Source.of(actor)
    late_minutes = rules.override_late_minutes(
        status, class_session.starts_at, record.check_in_time, at
    )
    if is_overruled(record, source):
        if rules.contradicts(status, record.status, by_check_in=False):
            keep_overruled(
                [record],
                actor=actor,
                source=source,
                status=status,
                method=VerificationMethod.TEACHER_OVERRIDE,
                reason=reason,
                at=at,
            )
        return Override(payload_of(record, class_session, student), overruled=True)

    before, old_status = states_of([record]), record.status
    record.status = status
    record.late_minutes = late_minutes
    record.verification_method = VerificationMethod.TEACHER_OVERRIDE
    record.source = source
    record.override_reason = reason
    record.notes = wanted_notes
    record.version += 1
    return write_override(
        record,
        class_session=class_session,
        student=student,
        actor=actor,
        reason=reason,
        old_status=old_status,
        before=before,
        at=at,
    )


def write_override(
    record: AttendanceRecord,
    *,
    class_session: ClassSession,
    student: User,
    actor: User,
    reason: str,
    old_status: str,
    before: Payload,
    at: datetime,
) -> Override:
    """Save a claimed record that `actor` has set by hand, with its one message."""
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
    operation_id = uuid.uuid4()
    events.append(
        class_session,
        type=MessageType.ATTENDANCE_UPDATE,
        data=events.override_data(changed, reason=reason, actor=actor),
        actor=actor,
        at=at,
        student_id=student.pk,
        operation_id=operation_id,
        before=before,
    )
    return Override(payload_of(record, class_session, student), operation_id)


def _on_roster(class_session: ClassSession, student: User) -> bool:
    if class_session.records.filter(student=student).exists():
        return True
    return class_session.state != State.CLOSED and selectors.is_enrolled(
        student, class_session.course_id
    )


@dataclasses.dataclass(frozen=True, slots=True)
class NotMarked:
    """A student whom an operation on many had to leave out, and why."""

    student_id: int
    code: str
    detail: str
    # The Record as it is, where there is one to look at.
    record: Payload | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What a bulk operation did; the three counts add up to those asked for."""

    operation_id: str
    operation: str
    records: list[Payload]
    unchanged_count: int
    failed: list[NotMarked]

    @property
    def processed_count(self) -> int:
        return len(self.records)

    @property
    def failed_count(self) -> int:
        return len(self.failed)


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
    versions: Mapping[int, int] | None = None,
    notes: str | None = None,
    at: datetime | None = None,
) -> BulkOutcome:
    """
    Set many students' status by hand: one transaction, one message.

    `student_ids` None is the whole roster; repeated ids count once. Who has the
    status already, or with `only_unmarked` has any mark, is unchanged: judged under
    the record's lock, so a check-in that lands meanwhile is never overwritten by an
    operation on the unmarked. With `versions` (by student id; 0: unmarked) nobody is
    overwritten whose record has changed since. Those, who is not on the roster and who
    bears a stronger mark are reported, not errors.
    """
    at = at or timezone.now()
    reason, notes = clean_reason(reason), clean_notes(notes)
    if operation not in OPERATIONS:
        raise InvalidInputError({"operation": [f"There is no {operation!r}."]})
    if student_ids is not None and not student_ids:
        raise InvalidInputError({"student_ids": ["Name at least one student."]})

    if only_unmarked:
        lock_course(class_session)
    current = read_session(class_session)
    source, status = Source.of(actor), OPERATIONS[operation]
    method = VerificationMethod.TEACHER_OVERRIDE
    mark = Mark(status, method, source, at, reason, notes)
    versions = versions or {}
    standing = selectors.standing(current)
    on_roster = standing.names.keys()
    asked = on_roster if student_ids is None else set(student_ids)
    candidates = asked & on_roster

    chosen, moved, overruled = [], [], []
    new: dict[int, str] = {}
    for student_id in sorted(candidates - standing.statuses.keys()):
        if versions.get(student_id, 0):
            # No record has had that version: nothing to lock.
            moved.append(_unmarked_record(current, student_id))
        else:
            new[student_id] = standing.names[student_id]
    changed = insert_marked(current, new, mark)
    there = candidates - changed.keys() - {record.student_id for record in moved}
    if only_unmarked:
        # Rows that bear a mark need neither a lock nor a look.
        there = {pk for pk in there if standing.is_unmarked(pk)}
    for record in lock_records(current, there).values():
        if not record.is_unmarked and (only_unmarked or record.status == status):
            continue
        if versions.get(record.student_id, record.version) != record.version:
            moved.append(record)
        elif is_overruled(record, source):
            overruled.append(record)
        else:
            chosen.append(record)
    before = states_of(chosen)
    changed |= apply_mark(current, chosen, standing.names, mark)
    in_order = [changed[pk] for pk in standing.names if pk in changed]
    if overruled:
        keep_overruled(
            overruled,
            actor=actor,
            source=source,
            status=status,
            method=method,
            reason=reason,
            at=at,
        )
    outcome = BulkOutcome(
        operation_id=str(uuid.uuid4()),
        operation=operation,
        records=[record for record, _ in in_order],
        unchanged_count=len(candidates) - len(changed) - len(moved) - len(overruled),
        failed=[
            *(
                NotMarked(student_id, "not_on_roster", NOT_ON_ROSTER)
                for student_id in sorted(asked - on_roster)
            ),
            *left_out(current, moved, VersionConflictError),
            *left_out(current, overruled, OverruledError),
        ],
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
                operation_id=outcome.operation_id,
                records=[message for _, message in in_order],
                unchanged_count=outcome.unchanged_count,
                failed_count=outcome.failed_count,
                reason=reason,
                actor=actor,
            ),
            actor=actor,
            at=at,
            operation_id=uuid.UUID(outcome.operation_id),
            before=before,
        )
    return outcome


def _unmarked_record(class_session: ClassSession, student_id: int) -> AttendanceRecord:
    """What stands for the record of a student who has none."""
    return AttendanceRecord(
        class_session=class_session, student_id=student_id, status=UNMARKED
    )


def left_out(
    class_session: ClassSession,
    records: Sequence[AttendanceRecord],
    why: type[VersionConflictError | OverruledError],
) -> list[NotMarked]:
    """These records as students whom an operation had to leave out."""
    students = User.objects.in_bulk([record.student_id for record in records])
    return [
        NotMarked(
            record.student_id,
            why.code,
            why.detail,
            payload_of(record, class_session, students[record.student_id]),
        )
        for record in records
    ]
