"""Who is in a course, who is on a roster, and the counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count, Exists, OuterRef

from attendance import rows
from attendance.exceptions import NotFoundError
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    Enrollment,
    OverruledMark,
    State,
    User,
)
from attendance.models.user import shown_name
from attendance.payloads import (
    COUNTED,
    Payload,
    class_session_payload,
    record_of_values,
    unmarked_of_values,
)


def name_order(student: User) -> tuple[str, int]:
    """Roster order: the name without regard to case, then the id.

    Sorted here and not by the database, whose collations differ.
    """
    return order_of_values(student.display_name, student.pk)


def order_of_values(name: str, student_id: int) -> tuple[str, int]:
    """`name_order` from plain values."""
    return name.casefold(), student_id


def in_roster_order(names: Mapping[int, str]) -> dict[int, str]:
    """Names by student id, in roster order."""
    ordered = sorted(names, key=lambda pk: order_of_values(names[pk], pk))
    return {pk: names[pk] for pk in ordered}


def active_enrollments(course_id: int) -> list[Enrollment]:
    """The course's active enrollments with their students, in roster order."""
    enrollments = Enrollment.objects.select_related("student").filter(
        course_id=course_id, ended_at__isnull=True
    )
    return sorted(enrollments, key=lambda e: name_order(e.student))


def is_enrolled(student: User, course_id: int) -> bool:
    """Whether the student has an active enrollment in the course."""
    return Enrollment.objects.filter(
        course_id=course_id, student=student, ended_at__isnull=True
    ).exists()


# In the order in which `record_of_values` takes them.
_MARK = (
    "id",
    "status",
    "check_in_time",
    "late_minutes",
    "verification_method",
    "override_reason",
    "notes",
    "version",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Roster:
    """
    A Record for everyone on the roster, in roster order, as of one revision.

    `newest_overruled` is that of `stream_state`: what a heartbeat calls `conflicts`.
    `marks` are the sources and versions of all the records, by student id.
    """

    revision: int
    newest_overruled: int | None
    records: list[Payload]
    marks: dict[int, tuple[str, int]]


def roster(class_session: ClassSession) -> Roster:
    """
    The roster now. Raises NotFoundError when the class session is gone.

    On it are all who have a record and, unless the session is closed, all who have
    an active enrollment. One query, whatever the size of the class, so that all of it
    is of one moment; and plain values: making two model instances a row took longer
    than everything else. The session's own row is there even if nobody else is.
    """
    # Each record is looked up by itself, once more: an anti-join of the halves instead
    # is a loop in a loop wherever PostgreSQL does not know yet how many rows there are.
    statement = f"""
        SELECT s.revision, {newest_overruled()}, r.source, u.id, u.name, u.username,
            {", ".join(f"r.{name}" for name in _MARK)}
        FROM {rows.table(ClassSession)} s
        LEFT JOIN (
            SELECT student_id FROM {rows.table(AttendanceRecord)}
            WHERE class_session_id = %s
            UNION
            SELECT student_id FROM {rows.table(Enrollment)}
            WHERE course_id = %s AND ended_at IS NULL AND %s
        ) on_it ON true
        LEFT JOIN {rows.table(User)} u ON u.id = on_it.student_id
        LEFT JOIN {rows.table(AttendanceRecord)} r
            ON r.class_session_id = %s AND r.student_id = u.id
        WHERE s.id = %s
    """
    pk, is_closed = class_session.pk, class_session.state == State.CLOSED
    parameters = [pk, pk, class_session.course_id, not is_closed, pk, pk]
    found = rows.fetch(AttendanceRecord, _MARK, statement, parameters)
    if not found:
        raise NotFoundError
    session = (pk, class_session.course.name)
    records, marks = [], {}
    for _, _, source, student_id, name, username, *mark in found:
        shown = shown_name(name, username)
        if source is not None:
            marks[student_id] = source, mark[-1]
            records.append(record_of_values(student_id, shown, *session, *mark))
        elif student_id is not None:
            records.append(unmarked_of_values(student_id, shown, *session))
    records.sort(key=lambda r: order_of_values(r["student_name"], r["student_id"]))
    revision, newest = found[0][:2]
    return Roster(revision, newest, records, marks)


def newest_overruled() -> str:
    """
    A value of a SELECT: the id of the newest overruled mark in a class session.

    Which is a parameter, not a column of the row around it: for that it would be
    looked up again with every row.
    """
    return f"""(
        SELECT max(o.id) FROM {rows.table(OverruledMark)} o
        WHERE o.class_session_id = %s
    )"""


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """Who is on a roster, by name and in its order, and the status of each record."""

    names: dict[int, str]
    statuses: dict[int, str]

    def is_unmarked(self, student_id: int) -> bool:
        """Without a record, or with one whose mark was taken back."""
        return self.statuses.get(student_id, UNMARKED) == UNMARKED


def standing(class_session: ClassSession) -> Standing:
    """What those who mark many need to know of the roster."""
    names = _names_enrolled(class_session)
    statuses = {}
    statement = f"""
        SELECT u.id, u.name, u.username, r.status
        FROM {rows.table(AttendanceRecord)} r
        JOIN {rows.table(User)} u ON u.id = r.student_id
        WHERE r.class_session_id = %s
    """
    for pk, name, username, status in rows.fetch(
        AttendanceRecord, ("status",), statement, [class_session.pk]
    ):
        names[pk] = shown_name(name, username)
        statuses[pk] = status
    return Standing(in_roster_order(names), statuses)


def names_of(student_ids: Iterable[int]) -> dict[int, str]:
    """The names of these students, in roster order."""
    people = User.objects.filter(pk__in=student_ids).order_by()
    return in_roster_order(
        {
            pk: shown_name(name, username)
            for pk, name, username in people.values_list("id", "name", "username")
        }
    )


def _names_enrolled(class_session: ClassSession) -> dict[int, str]:
    """Whoever is on the roster without needing a record for it."""
    if class_session.state == State.CLOSED:
        return {}
    statement = f"""
        SELECT u.id, u.name, u.username FROM {rows.table(Enrollment)} e
        JOIN {rows.table(User)} u ON u.id = e.student_id
        WHERE e.course_id = %s AND e.ended_at IS NULL
    """
    names = ("id", "name", "username")
    found = rows.fetch(User, names, statement, [class_session.course_id])
    return {pk: shown_name(name, username) for pk, name, username in found}


def counts_of(class_sessions: Sequence[ClassSession]) -> dict[int, Payload]:
    """The counts of each class session: three queries for however many."""
    ids = [class_session.pk for class_session in class_sessions]
    counts = {pk: {"enrolled": 0, **dict.fromkeys(COUNTED, 0)} for pk in ids}
    records = AttendanceRecord.objects.filter(class_session_id__in=ids).order_by()
    for pk, status, number in records.values_list(
        "class_session_id", "status"
    ).annotate(Count("pk")):
        counts[pk][status] = number
        counts[pk]["enrolled"] += number

    unclosed = [s for s in class_sessions if s.state != State.CLOSED]
    if unclosed:
        enrolled = dict(
            Enrollment.objects.filter(
                course_id__in={s.course_id for s in unclosed}, ended_at__isnull=True
            )
            .order_by()
            .values_list("course_id")
            .annotate(Count("pk"))
        )
        still_enrolled = Enrollment.objects.filter(
            course_id=OuterRef("class_session__course_id"),
            student_id=OuterRef("student_id"),
            ended_at__isnull=True,
        )
        marked = dict(
            records.filter(
                Exists(still_enrolled), class_session__in=[s.pk for s in unclosed]
            )
            .values_list("class_session_id")
            .annotate(Count("pk"))
        )
        for session in unclosed:
            unmarked = enrolled.get(session.course_id, 0) - marked.get(session.pk, 0)
            # Beside those whose mark was taken back.
            counts[session.pk][UNMARKED] += unmarked
            counts[session.pk]["enrolled"] += unmarked
    return counts


def class_session_payloads(class_sessions: Iterable[ClassSession]) -> list[Payload]:
    """Class sessions with their counts, in the order given."""
    sessions = list(class_sessions)
    counts = counts_of(sessions)
    return [class_session_payload(s, counts[s.pk]) for s in sessions]
