"""Claiming records: the one way in which services get hold of rows to change."""

from __future__ import annotations

from collections.abc import Iterable

from attendance.models import (
    AttendanceRecord,
    ClassSession,
    Status,
    VerificationMethod,
)


def claim_records(
    class_session: ClassSession, student_ids: Iterable[int]
) -> dict[int, AttendanceRecord]:
    """
    The students' records, locked until the transaction ends, by student id.

    Where there was none, one of version 0 is inserted: the caller either fills it
    (and counts the version up) or rolls back; no other transaction ever sees it. The
    unique key thereby serialises two writers even when neither finds a row. Rows are
    always claimed in the order of student ids, and before the session: no deadlock.
    Call it inside a transaction.
    """
    ids = sorted(set(student_ids))
    records = _locked(class_session, ids)
    missing = [student_id for student_id in ids if student_id not in records]
    if missing:
        AttendanceRecord.objects.bulk_create(
            [
                AttendanceRecord(
                    class_session=class_session,
                    student_id=student_id,
                    # Any valid value: version 0 says that nothing is recorded.
                    status=Status.ABSENT,
                    verification_method=VerificationMethod.AUTO_CLOSE,
                )
                for student_id in missing
            ],
            ignore_conflicts=True,
        )
        # Whoever inserted first has committed by now: this finds theirs or ours.
        records |= _locked(class_session, missing)
    return records


def claim_record(class_session: ClassSession, student_id: int) -> AttendanceRecord:
    """One student's record, as `claim_records` gives it."""
    return claim_records(class_session, (student_id,))[student_id]


def _locked(
    class_session: ClassSession, student_ids: list[int]
) -> dict[int, AttendanceRecord]:
    rows = (
        AttendanceRecord.objects.select_for_update(no_key=True)
        .filter(class_session=class_session, student_id__in=student_ids)
        .order_by("student_id")
    )
    return {record.student_id: record for record in rows}
