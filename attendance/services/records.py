"""Claiming records, and noticing that the ground has moved: for all who mark."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from django.db import connection

from attendance import rows
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    Source,
    User,
)

P = ParamSpec("P")
R = TypeVar("R")


def claim_records(
    class_session: ClassSession, student_ids: Iterable[int]
) -> dict[int, AttendanceRecord]:
    """
    The students' records, locked until the transaction ends, by student id.

    Where there was none, one of version 0 is inserted: the caller either fills it
    (and counts the version up) or rolls back; no other transaction ever sees it. The
    unique key thereby serialises two writers even when neither finds a row.

    First all that is missing is inserted, then all is locked, both in the order of
    student ids, and before the session: no two claims can wait for each other. (To
    lock what is there before inserting the rest would break that order.) Call it
    inside a transaction.
    """
    ids = sorted(set(student_ids))
    claimed = AttendanceRecord.objects.filter(
        class_session=class_session, student_id__in=ids
    )
    there = set(claimed.order_by().values_list("student_id", flat=True))
    missing = [student_id for student_id in ids if student_id not in there]
    if missing:
        insert_records(class_session, missing, status=UNMARKED, version=0)
    # Whoever inserted first has committed by now: this finds theirs or ours.
    return lock_records(class_session, ids)


def lock_records(
    class_session: ClassSession, student_ids: Iterable[int]
) -> dict[int, AttendanceRecord]:
    """
    The records that these students have, locked in the order of their ids.

    After `insert_records`, if that is called at all: see `claim_records`.
    """
    records = AttendanceRecord.objects.filter(
        class_session=class_session, student_id__in=student_ids
    )
    locked = records.select_for_update(no_key=True).order_by("student_id")
    return {record.student_id: record for record in locked}


def insert_records(
    class_session: ClassSession, student_ids: Iterable[int], **mark: str | int | None
) -> dict[int, int]:
    """
    Insert a record with `mark` for each student who has none.

    Returns the ids of the new records, by student id. In order of the students' ids,
    so that two of these can't wait for each other. The database makes the rows: to
    make a thousand model instances first took longer.
    """
    values = {
        "source": Source.AUTOMATIC.value,
        "late_minutes": 0,
        "notes": "",
        **mark,
        "class_session_id": class_session.pk,
    }
    # Numbers as they are: to adapt a thousand parameters takes milliseconds.
    ids = ", ".join(str(int(student_id)) for student_id in student_ids)
    statement = f"""
        INSERT INTO {rows.table(AttendanceRecord)} (student_id, {", ".join(values)})
        SELECT u.id, {", ".join(["%s"] * len(values))} FROM {rows.table(User)} u
        WHERE u.id IN ({ids}) ORDER BY u.id
        ON CONFLICT (class_session_id, student_id) DO NOTHING
        RETURNING student_id, id
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values.values()))
        return dict(cursor.fetchall())


def claim_record(class_session: ClassSession, student_id: int) -> AttendanceRecord:
    """One student's record, as `claim_records` gives it."""
    return claim_records(class_session, (student_id,))[student_id]


def save_unless_moved(record: AttendanceRecord) -> bool:
    """
    Write a record whose version was counted up from the one that was read.

    False, and nothing written, where somebody else has changed it since, or has made
    the one that was not there. One statement that judges and locks at once: what
    `claim_record` does in three for those who must read under the lock. Call it inside
    a transaction, before the session's lock is taken.
    """
    if record.version == 1:
        pk = rows.insert(
            record, suffix="ON CONFLICT (class_session_id, student_id) DO NOTHING"
        )
        if pk is None:
            return False
        record.pk = pk
        return True
    written = {
        field.attname: getattr(record, field.attname)
        for field in record._meta.concrete_fields
        if not field.primary_key
    }
    updated = AttendanceRecord.objects.filter(
        pk=record.pk, version=record.version - 1
    ).update(**written)
    return updated == 1


class SessionMovedError(Exception):
    """The class session, or the record, was changed since it was read."""


def judged_again(service: Callable[P, R]) -> Callable[P, R]:
    """
    Repeat a service whose ground moved between its reading and its writing.

    Each turn means that somebody else's change was committed meanwhile, so this ends;
    and what was written or refused fits what stood when it was committed.
    """

    @functools.wraps(service)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            try:
                return service(*args, **kwargs)
            except SessionMovedError:
                continue

    return wrapper
