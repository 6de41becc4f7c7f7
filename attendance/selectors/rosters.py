"""Who is in a course, who is on a roster, and the counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Count, Exists, OuterRef

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
_RECORD_VALUES = (
    "pk",
    "status",
    "check_in_time",
    "late_minutes",
    "verification_method",
    "override_reason",
    "notes",
    "version",
)
_STUDENT_VALUES = ("student_id", "student__name", "student__username")


def roster(class_session: ClassSession) -> list[Payload]:
    """
    A Record for everyone on the roster, in roster order.

    On it are all who have a record and, unless the session is closed, all who have
    an active enrollment. Two queries, whatever the size of the class, and plain
    values: making two model instances a row took longer than everything else.
    """
    session = (class_session.pk, class_session.course.name)
    names: dict[int, str] = {}
    rows: dict[int, Payload] = {}
    if class_session.state != State.CLOSED:
        enrolled = Enrollment.objects.filter(
            course_id=class_session.course_id, ended_at__isnull=True
        ).order_by()
        for student_id, *name in enrolled.values_list(*_STUDENT_VALUES):
            names[student_id] = shown_name(*name)
    records = class_session.records.order_by()
    for student_id, name, username, *values in records.values_list(
        *_STUDENT_VALUES, *_RECORD_VALUES
    ):
        names[student_id] = shown = shown_name(name, username)
        rows[student_id] = record_of_values(student_id, shown, *session, *values)
    in_order = sorted(names, key=lambda pk: order_of_values(names[pk], pk))
    return [
        rows.get(pk) or unmarked_of_values(pk, names[pk], *session) for pk in in_order
    ]


def roster_student_ids(class_session: ClassSession) -> set[int]:
    """The ids of everyone on the roster."""
    ids = set(class_session.records.values_list("student_id", flat=True))
    if class_session.state != State.CLOSED:
        ids.update(
            Enrollment.objects.filter(
                course_id=class_session.course_id, ended_at__isnull=True
            ).values_list("student_id", flat=True)
        )
    return ids


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
