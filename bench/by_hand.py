"""Marking a whole class by hand: the least that the database must do for it."""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from bench.school import School

_INSERT = """
    INSERT INTO attendance_attendancerecord
        (class_session_id, student_id, status, late_minutes, verification_method,
         source, override_reason, notes, version)
    SELECT %s, student_id, 'absent', 0, %s, %s, %s, '', 1
    FROM attendance_enrollment WHERE course_id = %s AND ended_at IS NULL
    ORDER BY student_id
    ON CONFLICT DO NOTHING
"""
_REVISION = """
    UPDATE attendance_classsession SET revision = revision + 1
    WHERE id = %s RETURNING revision
"""
_EVENT = """
    INSERT INTO attendance_attendanceevent
        (class_session_id, revision, type, actor_id, at, source, data, operation_id,
         hash)
    SELECT %s, %s, type, actor_id, at, source, data, gen_random_uuid(), hash
    FROM attendance_attendanceevent WHERE id = %s
"""


def mark_absent(
    connection: psycopg.Connection, school: School, template: int, *, closing: bool
) -> None:
    """
    Every student of the class session absent, with one message, in one transaction.

    The message is a copy of the event `template`. `closing` ends the session, too.
    """
    pk, course_id = school.class_session.pk, school.course.pk
    how = (
        ("auto_close", "automatic", None)
        if closing
        else ("teacher_override", "teacher", "by hand")
    )
    with connection.transaction():
        connection.execute(
            "SELECT 1 FROM attendance_course WHERE id = %s FOR NO KEY UPDATE",
            (course_id,),
        )
        connection.execute(_INSERT, (pk, *how, course_id))
        (revision,) = connection.execute(_REVISION, (pk,)).fetchone() or (0,)
        connection.execute(_EVENT, (pk, revision, template))
        if closing:
            connection.execute(
                "UPDATE attendance_classsession SET state = 'closed', "
                "verification_code = NULL, revision = revision + 1 WHERE id = %s",
                (pk,),
            )
            connection.execute(
                "INSERT INTO attendance_attendanceevent "
                "(class_session_id, revision, type, actor_id, at, source, data, hash) "
                "SELECT %s, %s, 'session_update', actor_id, at, source, %s, hash "
                "FROM attendance_attendanceevent WHERE id = %s",
                (pk, revision + 1, Jsonb({"event": "closed"}), template),
            )
