"""Who is in a course, who is on a roster, and the counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef

from attendance import rows
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    Enrollment,
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


def roster(class_session: ClassSession) -> list[Payload]:
    """
    A Record for everyone on the roster, in roster order.

    On it are all who have a record and, unless the session is closed, all who have
    an active enrollment. Two queries, whatever the size of the class, and plain
    values: making two model instances a row took longer than everything else.
    """
    session = (class_session.pk, class_session.course.name)
    names = _names_enrolled(class_session)
    records: dict[int, Payload] = {}
    for pk, shown, *mark in _marks(class_session, _MARK):
        names[pk] = shown
        records[pk] = record_of_values(pk, shown, *session, *mark)
    return [
        records.get(pk) or unmarked_of_values(pk, name, *session)
        for pk, name in in_roster_order(names).items()
    ]


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """Who is on a roster, by name and in its order, and the status of each record."""

    names: dict[int, str]
    statuses: dict[int, str]

    def is_unmarked(self, student_id: int) -> bool:
        """Without a record, or with one whose mark was taken back."""
        return self.statuses.get(student_id, UNMARKED) == UNMARKED


def standing(class_session: ClassSession) -> Standing:
    """What those who mark many need to know of the roster, as `roster` reads it."""
    names = _names_enrolled(class_session)
    statuses = {}
    for pk, shown, status in _marks(class_session, ("status",)):
        names[pk] = shown
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


def _marks(class_session: ClassSession, fields: Sequence[str]) -> Iterator[list[Any]]:
    """Id and name of each student who has a record, and these fields of it."""
    columns = ", ".join(f"r.{field}" for field in fields)
    statement = f"""
        SELECT u.id, u.name, u.username, {columns}
        FROM {rows.table(AttendanceRecord)} r
        JOIN {rows.table(User)} u ON u.id = r.student_id
        WHERE r.class_session_id = %s
    """
    for pk, name, username, *mark in rows.fetch(
        AttendanceRecord, fields, statement, [class_session.pk]
    ):
        yield [pk, shown_name(name, username), *mark]


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
