"""What the live stream, its replay and the snapshot are read from."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from attendance import rows
from attendance.events import FOLLOWED_BY_SNAPSHOT, reduced_for_student
from attendance.exceptions import NotFoundError
from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Course,
    Enrollment,
    MessageType,
    State,
    User,
)
from attendance.payloads import (
    Payload,
    class_session_payload,
    count_statuses,
    message_payload,
    record_payload,
)
from attendance.selectors.rosters import newest_overruled, roster

EVENTS_PER_PAGE = 500
# A stream that missed more than these gets a snapshot: the shorter way, and what is
# read at once has a bound. A bulk change counts as the records that it holds.
REPLAY_MESSAGES = 200
REPLAY_RECORDS = 1000
_TOO_MANY = REPLAY_MESSAGES + 1
STUDENT_SNAPSHOT_RECORDS = 100


def stream_state(class_session_id: int) -> Payload:
    """
    What a heartbeat says of the class session now: its revision, in one query.

    And `conflicts`, once a mark has ever been overruled in it: a number that grows
    with each. Another one than before means that the conflicts, which are no messages,
    are to be looked up again.
    """
    # Every screen asks this, every few seconds: without the ORM's compiler.
    statement = f"""
        SELECT s.revision, {newest_overruled()}
        FROM {rows.table(ClassSession)} s WHERE s.id = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [class_session_id, class_session_id])
        return _state(*(cursor.fetchone() or (0, None)))


def _state(revision: int, newest_overruled: int | None) -> Payload:
    if newest_overruled is None:
        return {"revision": revision}
    return {"revision": revision, "conflicts": newest_overruled}


def snapshot(class_session_id: int) -> Payload:
    """
    The class session and its roster as of one revision.

    They are read one after the other, so they are read again when the revision moved
    in between; a session that never rests is held still for the third try.
    Raises NotFoundError when there is no such class session.
    """
    return _snapshot(class_session_id).payload


class Snapshot(NamedTuple):
    """A `snapshot`, the `stream_state` that it is of, and its `Roster.marks`."""

    payload: Payload
    state: Payload
    marks: dict[int, tuple[str, int]]


def whole_snapshot(class_session: ClassSession) -> Snapshot:
    """
    The `snapshot`, and what else the live page wants to know as of its revision.

    For whoever has just read the class session, with its course: if it is still at
    that revision when its roster is read, it need not be read again.
    """
    return _snapshot_of(class_session) or _snapshot(class_session.pk)


def _snapshot(class_session_id: int) -> Snapshot:
    for _ in range(2):
        found = _snapshot_of(_class_session(class_session_id))
        if found is not None:
            return found
    with transaction.atomic():
        found = _snapshot_of(_class_session(class_session_id, lock=True))
        assert found is not None, "nobody can move a revision that is locked"
        return found


def _class_session(class_session_id: int, *, lock: bool = False) -> ClassSession:
    sessions = ClassSession.objects.select_related("course")
    if lock:
        # NO KEY UPDATE: inserts that refer to the session need not wait.
        sessions = sessions.select_for_update(of=("self",), no_key=True)
    class_session = sessions.filter(pk=class_session_id).first()
    if class_session is None:
        raise NotFoundError
    return class_session


def _snapshot_of(class_session: ClassSession) -> Snapshot | None:
    """The snapshot; None if the revision has moved since the session was read."""
    found = roster(class_session)
    if found.revision != class_session.revision:
        return None
    counts = count_statuses(found.records)
    payload = {
        "type": "snapshot",
        "revision": found.revision,
        "class_session": class_session_payload(class_session, counts),
        "records": found.records,
    }
    state = _state(found.revision, found.newest_overruled)
    return Snapshot(payload, state, found.marks)


def messages_after(
    class_session_id: int, after: int, limit: int = EVENTS_PER_PAGE
) -> list[Payload]:
    """The messages with a revision above `after`, ascending, `limit` at most."""
    found = AttendanceEvent.objects.filter(
        class_session_id=class_session_id, revision__gt=after
    ).order_by("revision")[:limit]
    return [message_payload(event) for event in found]


def replay(class_session_id: int, after: int) -> list[Payload] | None:
    """
    The messages with a revision above `after`, ascending and without holes.

    None where a snapshot is the shorter way: with more than REPLAY_MESSAGES of them,
    or more than REPLAY_RECORDS records in several. One alone is always given.
    """
    return _if_few(
        AttendanceEvent.objects.filter(
            class_session_id=class_session_id, revision__gt=after
        )
    )


def _if_few(events: QuerySet[AttendanceEvent]) -> list[Payload] | None:
    """The events' messages in order of revision, or None; see `replay`."""
    events = events.order_by("class_session_id", "revision")
    # First how much it is, then what it is: each may hold a whole class.
    sizes = dict(events.values_list("pk", "data__processed_count")[:_TOO_MANY])
    if len(sizes) == _TOO_MANY:
        return None
    if len(sizes) > 1 and sum(size or 1 for size in sizes.values()) > REPLAY_RECORDS:
        return None
    # What came meanwhile is not counted; whoever asked will hear of it.
    return [message_payload(event) for event in events.filter(pk__in=sizes)]


def roster_changed_unsaid(class_session_id: int, revision: int) -> bool:
    """
    Whether the roster may differ from what a client of this revision knows.

    While a session is not open, changes of its roster are no messages; the snapshot
    after an opening makes up for it. A client that knows only the opening has missed
    that snapshot, and one of a planned session has nothing else to hear it from.
    """
    # Whoever comes back asks this first: without the ORM's compiler.
    statement = f"""
        SELECT {rows.selected(s=ClassSession, e=AttendanceEvent)}
        FROM {rows.table(ClassSession)} s
        LEFT JOIN {rows.table(AttendanceEvent)} e ON e.class_session_id = s.id
            AND e.revision = %s AND e.type = %s
        WHERE s.id = %s
    """
    parameters = [revision, MessageType.SESSION_UPDATE.value, class_session_id]
    found = rows.joined(statement, parameters, ClassSession, AttendanceEvent)
    if not found:
        return False
    session, opening = found[0]
    since, until = session.created_at, timezone.now()
    if session.state != State.SCHEDULED:
        if opening is None or opening.data["event"] not in FOLLOWED_BY_SNAPSHOT:
            return False
        until = opening.at
        updates = session.events.filter(type=MessageType.SESSION_UPDATE)
        closing = (
            updates.filter(revision__lt=revision, data__event="closed")
            .order_by("-revision")
            .first()
        )
        if closing is not None:
            since = closing.at
    came = Q(enrolled_at__gte=since, enrolled_at__lte=until)
    went = Q(ended_at__gte=since, ended_at__lte=until)
    enrollments = Enrollment.objects.filter(course_id=session.course_id)
    return enrollments.filter(came | went).exists()


def courses_of_students(student_ids: Iterable[int]) -> dict[int, set[int]]:
    """
    By student, the courses whose changes may concern their records.

    Ended enrollments too: the records of then may still be changed.
    """
    courses: dict[int, set[int]] = collections.defaultdict(set)
    asked = set(student_ids)
    if asked:
        statement = f"""
            SELECT student_id, course_id FROM {rows.table(Enrollment)}
            WHERE student_id IN ({rows.marks(asked)})
        """
        with connection.cursor() as cursor:
            cursor.execute(statement, list(asked))
            for student_id, course_id in cursor.fetchall():
                courses[student_id].add(course_id)
    return courses


def record_totals(student_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """
    By student, the number of records and the sum of their versions.

    Versions only grow and no record is deleted, so whoever has the same totals as
    before has the same records as before. Students without a record are left out.
    """
    asked = set(student_ids)
    if not asked:
        return {}
    statement = f"""
        SELECT student_id, COUNT(*), SUM(version) FROM {rows.table(AttendanceRecord)}
        WHERE student_id IN ({rows.marks(asked)}) GROUP BY student_id
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, list(asked))
        return {
            student_id: (count, int(versions))
            for student_id, count, versions in cursor.fetchall()
        }


def own_messages(student: User, records: Sequence[Payload]) -> list[Payload] | None:
    """
    All messages about these records, as their student may see them.

    None where a snapshot is the shorter way, as in `replay`.
    """
    sessions = [record["class_session_id"] for record in records]
    found = _if_few(
        AttendanceEvent.objects.filter(
            Q(student=student) | Q(student__isnull=True),
            class_session_id__in=sessions,
            type__in=(MessageType.STUDENT_JOINED, MessageType.ATTENDANCE_UPDATE),
        )
    )
    if found is None:
        return None
    reduced = (reduced_for_student(message, student.pk) for message in found)
    return [message for message in reduced if message is not None]


def newest_records_of(student: User) -> list[Payload]:
    """The student's own newest Records, latest class session first."""
    statement = f"""
        SELECT {rows.selected(r=AttendanceRecord, s=ClassSession, c=Course)}
        FROM {rows.table(AttendanceRecord)} r
        JOIN {rows.table(ClassSession)} s ON s.id = r.class_session_id
        JOIN {rows.table(Course)} c ON c.id = s.course_id
        WHERE r.student_id = %s
        ORDER BY s.starts_at DESC, r.class_session_id DESC LIMIT %s
    """
    parameters = [student.pk, STUDENT_SNAPSHOT_RECORDS]
    models = AttendanceRecord, ClassSession, Course
    payloads = []
    for record, class_session, course in rows.joined(statement, parameters, *models):
        class_session.course = course
        payloads.append(
            record_payload(record, class_session=class_session, student=student)
        )
    return payloads
