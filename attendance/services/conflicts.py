"""Settling a conflict: one side is taken, and the history says so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from attendance import rules, selectors
from attendance.exceptions import (
    NoConflictError,
    OverruledError,
    VersionConflictError,
)
from attendance.models import (
    AttendanceRecord,
    ClassSession,
    Source,
    Status,
    User,
    VerificationMethod,
)
from attendance.payloads import Payload
from attendance.services.marking import Override, write_override
from attendance.services.marks import (
    clean_reason,
    payload_of,
    read_session,
    states_of,
)
from attendance.services.precedence import is_overruled, keep_overruled
from attendance.services.records import claim_record, judged_again

KEPT = "Kept as it was."
ACCEPTED_CHECK_IN = "Check-in accepted."
ACCEPTED_MARK = "The other mark was accepted."


@judged_again
@transaction.atomic
def settle_conflict(
    *,
    class_session: ClassSession,
    actor: User,
    student_id: int,
    accept: bool,
    reason: str | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Override:
    """
    End the conflict about one student's mark.

    `accept` takes what was overruled (of a check-in with its time), otherwise the
    mark is kept; either is an override of its own by `actor`. Who is weaker than the
    mark can only keep it, which takes back what was said against it. Raises
    NoConflictError when nothing is (or no longer) said against the mark,
    VersionConflictError and OverruledError with the current Record, InvalidInputError.
    """
    at = at or timezone.now()
    if reason is not None:
        reason = clean_reason(reason)
    class_session = read_session(class_session)
    if not class_session.records.filter(student_id=student_id).exists():
        raise NoConflictError
    record = claim_record(class_session, student_id)
    student = User.objects.get(pk=student_id)
    payload = payload_of(record, class_session, student)
    if version is not None and version != record.version:
        raise VersionConflictError(record=payload)
    conflict = selectors.conflict_of(record)
    if conflict is None:
        raise NoConflictError(record=payload)
    source = Source.of(actor)
    if is_overruled(record, source):
        if accept:
            raise OverruledError(record=payload)
        keep_overruled(
            [record],
            actor=actor,
            source=source,
            status=record.status,
            method=VerificationMethod.TEACHER_OVERRIDE,
            reason=reason or KEPT,
            at=at,
        )
        return Override(payload)

    before, old_status = states_of([record]), record.status
    if accept:
        why = _accept(record, class_session, conflict["overruled"])
        record.override_reason = reason = reason or why
    record.source = source
    record.version += 1
    return write_override(
        record,
        class_session=class_session,
        student=student,
        actor=actor,
        reason=reason or KEPT,
        old_status=old_status,
        before=before,
        at=at,
    )


def _accept(
    record: AttendanceRecord, class_session: ClassSession, said: Payload
) -> str:
    """
    Make the record what was said of it; return the reason to give.

    Of two check-ins the first one counts, as it would have without the mark.
    """
    at = datetime.fromisoformat(said["timestamp"])
    record.status = said["attendance_status"]
    by_check_in = said["source"] == Source.STUDENT
    if by_check_in:
        record.check_in_time = record.check_in_time or at
        if rules.is_on_time(class_session, record.check_in_time):
            record.status = Status.PRESENT
    record.late_minutes = rules.override_late_minutes(
        record.status, class_session.starts_at, record.check_in_time, at
    )
    if by_check_in:
        return ACCEPTED_CHECK_IN
    return said["reason"] or ACCEPTED_MARK
