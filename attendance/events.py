"""
Events: group names, message data, revisions, and the one place that publishes.

The last steps of a service's transaction are `next_revision`, which takes the session's
next revision and with it the lock on the session, and `append`, which writes the event
row and has the message published once the transaction has committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from attendance import rows, sealing, tracing
from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    MessageType,
    Source,
    User,
)
from attendance.payloads import (
    Payload,
    class_session_payload,
    iso,
    message_payload,
    person_payload,
    record_payload,
)
from attendance.publisher import Publication, publisher

# The channel layer wants a type of its messages; whoever hears one looks inside.
MESSAGE_TYPE = "attendance.message"
# After these changes of a session a client's picture of the roster may be out of date.
FOLLOWED_BY_SNAPSHOT = ("opened", "reopened")
# To a student's own stream: the courses have changed, listen to them anew.
COURSES_CHANGED: Payload = {"type": "courses_changed"}
# To whoever watches a class session: have a fresh heartbeat sent at once.
BEAT_NOW: Payload = {"type": "beat_now"}

_JOINED_FIELDS = (
    "student_id",
    "student_name",
    "class_session_id",
    "class_name",
    "attendance_status",
    "check_in_time",
    "is_late",
    "late_minutes",
    "verification_method",
    "is_manual_override",
    "override_reason",
    "id",
    "version",
    "notes",
)


def class_session_group(class_session_id: int) -> str:
    """Who watches this class session: its teachers' pages."""
    return f"class-session.{class_session_id}"


def student_group(student_id: int) -> str:
    """Who watches this student's own attendance."""
    return f"student.{student_id}"


def course_students_group(course_id: int) -> str:
    """The students of a course who watch their own attendance: for bulk changes."""
    return f"course-students.{course_id}"


def changed_record(
    record: AttendanceRecord,
    *,
    class_session: ClassSession,
    student: User,
    old_status: str,
    at: datetime,
) -> Payload:
    """What a message says of one changed record."""
    payload = record_payload(record, class_session=class_session, student=student)
    return changed_payload(payload, old_status=old_status, at=at)


def changed_payload(record: Payload, *, old_status: str, at: datetime) -> Payload:
    """What a message says of a changed record, from its Record."""
    data = {field: record[field] for field in _JOINED_FIELDS}
    data["old_status"] = str(old_status)
    data["timestamp"] = iso(at)
    return data


def override_data(changed: Payload, *, reason: str, actor: User) -> Payload:
    """`data` of an `attendance_update` for one student."""
    return {
        **changed,
        "event": "override",
        "new_status": changed["attendance_status"],
        "reason": reason,
        "updated_by": person_payload(actor),
    }


def bulk_data(
    event: str,
    *,
    operation: str,
    operation_id: str,
    records: list[Payload],
    unchanged_count: int,
    failed_count: int,
    reason: str,
    actor: User,
) -> Payload:
    """`data` of an `attendance_update` for many (`bulk`, `auto_close`, `undo`)."""
    return {
        "event": event,
        "operation": operation,
        "operation_id": operation_id,
        "processed_count": len(records),
        "unchanged_count": unchanged_count,
        "failed_count": failed_count,
        "reason": reason,
        "updated_by": person_payload(actor),
        "records": records,
    }


def session_data(event: str, class_session: ClassSession, counts: Payload) -> Payload:
    """`data` of a `session_update`; the session must bear its new revision."""
    return {
        "event": event,
        "class_session": class_session_payload(class_session, counts),
    }


def reduced_for_student(message: Payload, student_id: int) -> Payload | None:
    """
    `message` as one student may see it: the own record and nobody else's.

    None when it does not concern the student's record at all.
    """
    if "data" not in message:
        return None
    data = message["data"]
    if message["type"] == MessageType.STUDENT_JOINED or data.get("event") == "override":
        return message if data["student_id"] == student_id else None
    own = [r for r in data.get("records", ()) if r["student_id"] == student_id]
    if message["type"] != MessageType.ATTENDANCE_UPDATE or not own:
        return None
    kept = ("event", "operation", "operation_id", "reason", "updated_by")
    return {**message, "data": {**{key: data[key] for key in kept}, "records": own}}


def next_revision(class_session: ClassSession, *, unmoved: bool = False) -> int | None:
    """
    Take the session's next revision, and its row lock until the transaction ends.

    With `unmoved`, only while state, codes and settings are as in `class_session`:
    None means that somebody changed them since it was read. Call it last, with the
    records already locked: everywhere the order is course, records, session.
    """
    conditions = ["id = %s"]
    values: list[int | str] = [class_session.pk]
    if unmoved:
        conditions += ["state = %s", "code_generation = %s", "edition = %s"]
        values += [
            str(class_session.state),
            class_session.code_generation,
            class_session.edition,
        ]
    with connection.cursor() as cursor:
        # Django's update() cannot return the new value, and reading it afterwards
        # would be one more round trip under the hottest lock there is.
        cursor.execute(
            f"UPDATE {rows.table(ClassSession)} SET revision = revision + 1 "
            f"WHERE {' AND '.join(conditions)} RETURNING revision",
            values,
        )
        row = cursor.fetchone()
    if row is None:
        return None
    class_session.revision = row[0]
    return class_session.revision


def append(
    class_session: ClassSession,
    *,
    type: MessageType,
    data: Payload,
    actor: User,
    at: datetime,
    source: Source | None = None,
    student_id: int | None = None,
    operation_id: UUID | None = None,
    before: Payload | None = None,
) -> AttendanceEvent:
    """
    Write the event of the revision just taken, sealed; publish it on commit.

    `source`: as whom `actor` did it, if not simply as teacher or administrator.
    `operation_id` and `before` make a change of marks one that can be undone.
    """
    event = AttendanceEvent(
        class_session_id=class_session.pk,
        revision=class_session.revision,
        type=type,
        actor=actor,
        source=source or Source.of(actor),
        student_id=student_id,
        at=at,
        data=data,
        operation_id=operation_id,
        before=before,
    )
    texts = sealing.content_texts(event)
    expressions: dict[str, tuple[str, list[Any]]] = {
        "hash": _chained_hash(event, sealing.digest_of(texts))
    }
    for name in ("data", "before"):
        # The very JSON that is sealed: of a whole class it takes long to make.
        if getattr(event, name) is not None:
            expressions[name] = ("%s", [texts[name]])
    event.pk = rows.insert(event, expressions=expressions)
    message = message_payload(event)
    groups = _student_groups(class_session.course_id, message, student_id)

    context = (
        f"{message['type']} revision {message['revision']} "
        f"of class session {message['class_session_id']}"
    )
    _publish_on_commit(
        message, (class_session_group(class_session.pk), *groups), context
    )
    return event


def _chained_hash(event: AttendanceEvent, digest: str) -> tuple[str, list[Any]]:
    """
    The event's hash, as an expression: `sealing.chained` inside the INSERT.

    There it can look up the hash of the event before, which the lock on the session
    keeps still, without one more round trip under that lock.
    """
    text = (
        f"COALESCE((SELECT hash FROM {rows.table(AttendanceEvent)} "
        "WHERE class_session_id = %s AND revision = %s), %s) || %s"
    )
    hashed = (
        f"ENCODE(SHA256(CONVERT_TO({text}, 'UTF8')), 'hex')"
        if connection.vendor == "postgresql"
        # Django brings this one along.
        else f"SHA256({text})"
    )
    before = [event.class_session_id, event.revision - 1]
    return hashed, [*before, sealing.GENESIS, digest]


def announce_beside_messages(class_session_id: int) -> None:
    """On commit, have the session's watchers look again at what is no message."""
    _publish_on_commit(
        BEAT_NOW, (class_session_group(class_session_id),), f"{class_session_id}"
    )


def announce_courses_changed(student_id: int) -> None:
    """On commit, have the student's own stream listen to all of their courses."""
    _publish_on_commit(
        COURSES_CHANGED, (student_group(student_id),), f"courses of {student_id}"
    )


def _publish_on_commit(message: Payload, groups: Sequence[str], context: str) -> None:
    def publish() -> None:
        tracing.note_committed(message)
        request_id = tracing.request_id()
        envelope = {"type": MESSAGE_TYPE, "message": message, "request_id": request_id}
        for group in groups:
            publisher.submit(Publication(group, envelope, context))

    # A function with a name, not functools.partial: Django 5.2 cannot log a failing
    # robust callback that has no __qualname__.
    transaction.on_commit(publish, robust=True)


def _student_groups(
    course_id: int, message: Payload, student_id: int | None
) -> Sequence[str]:
    if message["type"] in (MessageType.ROSTER_UPDATE, MessageType.SESSION_UPDATE):
        return ()
    if student_id is not None:
        return (student_group(student_id),)
    return (course_students_group(course_id),)
