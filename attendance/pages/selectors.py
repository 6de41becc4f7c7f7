"""Reads that only the pages need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from attendance import rows, selectors
from attendance.exceptions import NotFoundError
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    State,
    User,
)
from attendance.payloads import Payload, record_payload, unmarked_payload
from attendance.services.marking import NOT_ON_ROSTER

PEOPLE_FOUND = 12
MIN_SEARCH = 2


def is_teacher(user: User) -> bool:
    """Whether the teachers' pages are this person's pages."""
    if user.is_staff or user.is_superuser:
        return True
    # Every page of every student asks this: not by the three queries that teachers and
    # permissions, own and of groups, are by themselves.
    permitted = f"""
        SELECT 1 FROM {rows.table(Permission)} p
        JOIN {rows.table(ContentType)} t ON t.id = p.content_type_id
        WHERE t.app_label = 'attendance' AND p.codename = 'add_course' AND (
            EXISTS (
                SELECT 1 FROM {rows.table(User.user_permissions.through)} up
                WHERE up.user_id = %s AND up.permission_id = p.id
            ) OR EXISTS (
                SELECT 1 FROM {rows.table(User.groups.through)} ug
                JOIN {rows.table(Group.permissions.through)} gp
                    ON gp.group_id = ug.group_id
                WHERE ug.user_id = %s AND gp.permission_id = p.id
            )
        )
    """
    statement = f"""
        SELECT EXISTS (
            SELECT 1 FROM {rows.table(CourseTeacher)} t WHERE t.user_id = %s
        ) OR EXISTS ({permitted})
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [user.pk] * 3)
        (found,) = cursor.fetchone()
    return bool(found)


def takes_courses(user: User) -> bool:
    """Whether this person is or was somebody's student."""
    return (
        Enrollment.objects.filter(student=user).exists()
        or AttendanceRecord.objects.filter(student=user).exists()
    )


def courses_with_students(user: User) -> QuerySet[Course]:
    """The courses taught, each with its number of students, the open ones first."""
    return (
        selectors.courses_taught(user)
        .annotate(
            student_count=Count(
                "enrollments", filter=Q(enrollments__ended_at__isnull=True)
            ),
            is_open=Exists(
                ClassSession.objects.filter(course=OuterRef("pk"), state=State.OPEN)
            ),
        )
        .order_by("-is_open", "name", "pk")
    )


def open_sessions_of(courses: Sequence[Course]) -> dict[int, list[Payload]]:
    """The open class sessions of each course, latest first."""
    found = ClassSession.objects.select_related("course").filter(
        course__in=[course.pk for course in courses], state=State.OPEN
    )
    by_course: dict[int, list[Payload]] = defaultdict(list)
    for payload in selectors.class_session_payloads(found):
        by_course[payload["course_id"]].append(payload)
    return by_course


def people_matching(text: str, course: Course) -> list[User]:
    """Active people whose name or user name contains `text`, marked if enrolled."""
    text = text.strip()
    if len(text) < MIN_SEARCH:
        return []
    enrolled = Enrollment.objects.filter(
        course=course, student=OuterRef("pk"), ended_at__isnull=True
    )
    return list(
        User.objects.filter(
            Q(name__icontains=text) | Q(username__icontains=text), is_active=True
        )
        .annotate(is_enrolled=Exists(enrolled))
        .order_by("is_enrolled", "name", "pk")[:PEOPLE_FOUND]
    )


def active_person(username: str) -> User | None:
    """The active person with this user name, in whatever case it was typed."""
    exact = User.objects.filter(username=username, is_active=True).first()
    if exact is not None:
        return exact
    found = User.objects.filter(username__iexact=username, is_active=True)[:2]
    return found[0] if len(found) == 1 else None


def roster_record(
    class_session: ClassSession, student_id: int
) -> tuple[User, AttendanceRecord | None, Payload]:
    """
    One student of the roster: the person, the record if there is one, the Record.

    Raises NotFoundError when the student is not on the roster.
    """
    record = (
        AttendanceRecord.objects.select_related("student")
        .filter(class_session=class_session, student_id=student_id)
        .first()
    )
    if record is not None:
        payload = record_payload(
            record, class_session=class_session, student=record.student
        )
        return record.student, record, payload
    student = User.objects.filter(pk=student_id).first()
    if (
        student is None
        or class_session.state == State.CLOSED
        or not selectors.is_enrolled(student, class_session.course_id)
    ):
        raise NotFoundError(NOT_ON_ROSTER)
    return student, None, unmarked_payload(class_session=class_session, student=student)


def own_records(student: User) -> QuerySet[AttendanceRecord]:
    """The student's records, latest class session first."""
    return (
        AttendanceRecord.objects.select_related("class_session__course")
        .filter(student=student)
        .exclude(status=UNMARKED)
        .order_by("-class_session__starts_at", "-class_session_id")
    )


def own_counts(student: User) -> dict[int, dict[str, int]]:
    """How often the student had which status, by course."""
    rows = (
        AttendanceRecord.objects.filter(student=student)
        .exclude(status=UNMARKED)
        .order_by()
        .values_list("class_session__course_id", "status")
        .annotate(Count("pk"))
    )
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for course_id, status, number in rows:
        counts[course_id][status] = number
    return counts


def courses_taken(student: User) -> list[Course]:
    """The courses in which the student is enrolled now, by name."""
    return list(
        Course.objects.filter(
            Exists(
                Enrollment.objects.filter(
                    course=OuterRef("pk"), student=student, ended_at__isnull=True
                )
            )
        )
    )


def teachers_of(course: Course) -> list[CourseTeacher]:
    """Who teaches the course, owners first."""
    found = course.course_teachers.select_related("user")
    return sorted(
        found, key=lambda t: (t.role != "owner", selectors.name_order(t.user))
    )
