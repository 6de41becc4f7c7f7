"""What a check-in finds: all that it is judged by, in one look at the database."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from django.db import connection

from attendance import rows, rules
from attendance.models import (
    AttendanceRecord,
    ClassSession,
    Course,
    Enrollment,
    FailedCheckIn,
    User,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """
    A class session, as a student finds it who is about to check in.

    `record` is the student's, if there is one. `budget_used_at` is the time of the
    oldest failure that uses up the budget for guessing, if that is used up.
    """

    class_session: ClassSession
    enrolled: bool
    record: AttendanceRecord | None
    budget_used_at: datetime | None


def situation_by_id(
    student: User, class_session_id: int, at: datetime
) -> Situation | None:
    """The situation in that class session; None where there is no such session."""
    return _situation("s.id", class_session_id, student, at)


def situation_by_code(student: User, digits: str, at: datetime) -> Situation | None:
    """The situation in the open session with this code; None where there is none."""
    return _situation("s.verification_code", digits, student, at)


def _situation(
    column: str, value: int | str, student: User, at: datetime
) -> Situation | None:
    # By a unique index either way: the time of a look-up says nothing about how near
    # a guess was, and the budget bounds the guesses.
    statement = f"""
        SELECT {rows.selected(s=ClassSession, c=Course, r=AttendanceRecord)},
            EXISTS (
                SELECT 1 FROM {rows.table(Enrollment)} e
                WHERE e.course_id = s.course_id AND e.student_id = %s
                    AND e.ended_at IS NULL
            ),
            (
                SELECT f.at FROM {rows.table(FailedCheckIn)} f
                WHERE f.student_id = %s AND f.at > %s
                ORDER BY f.at DESC LIMIT 1 OFFSET {rules.CHECK_IN_FAILURES - 1}
            )
        FROM {rows.table(ClassSession)} s
        JOIN {rows.table(Course)} c ON c.id = s.course_id
        LEFT JOIN {rows.table(AttendanceRecord)} r
            ON r.class_session_id = s.id AND r.student_id = %s
        WHERE {column} = %s
    """
    since = connection.ops.adapt_datetimefield_value(at - rules.CHECK_IN_WINDOW)
    with connection.cursor() as cursor:
        cursor.execute(statement, [student.pk, student.pk, since, student.pk, value])
        row = cursor.fetchone()
    if row is None:
        return None
    *values, enrolled, failure = row
    models = ClassSession, Course, AttendanceRecord
    class_session, class_session.course, record = rows.instances(values, *models)
    return Situation(
        class_session=class_session,
        enrolled=bool(enrolled),
        record=record,
        budget_used_at=rows.converted(FailedCheckIn._meta.get_field("at"), failure),
    )
