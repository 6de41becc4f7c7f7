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
from attendance.payloads import (
    COUNTED,
    Payload,
    class_session_payload,
    record_payload,
    unmarked_payload,
)


def name_order(student: User) -> tuple[str, int]:
    """Roster order: the name without regard to case, then the id.

    Sorted here and not by the database, whose collations differ.
    """
    return student.display_name.casefold(), student.pk


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


def roster(class_session: ClassSession) -> list[Payload]:
    """
    A Record for everyone on the roster, in roster order.

    On it are all who have a record and, unless the session is closed, all who have
    an active enrollment. Two queries, whatever the size of the class.
    """
    rows: dict[int, tuple[User, Payload]] = {}
    if class_session.state != State.CLOSED:
        for enrollment in Enrollment.objects.select_related("student").filter(
            course_id=class_session.course_id, ended_at__isnull=True
        ):
            student = enrollment.student
            rows[student.pk] = (
                student,
                unmarked_payload(class_session=class_session, student=student),
            )
    for record in AttendanceRecord.objects.select_related("student").filter(
        class_session_id=class_session.pk
    ):
        student = record.student
        rows[student.pk] = (
            student,
            record_payload(record, class_session=class_session, student=student),
        )
    ordered = sorted(rows.values(), key=lambda row: name_order(row[0]))
    return [payload for _, payload in ordered]


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
