"""Who may see what, and who may do it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from attendance import rows
from attendance.exceptions import NotFoundError, PermissionDeniedError
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    Role,
    User,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """What a person is to a course."""

    teaches: bool
    owns: bool
    is_student: bool


def _with_access(courses: QuerySet[Course], user: User) -> QuerySet[Course]:
    teaching = CourseTeacher.objects.filter(course=OuterRef("pk"), user=user)
    enrolled = Enrollment.objects.filter(
        course=OuterRef("pk"), student=user, ended_at__isnull=True
    )
    return courses.annotate(
        teaches=Exists(teaching),
        owns=Exists(teaching.filter(role=Role.OWNER)),
        is_student=Exists(enrolled),
    )


def course_access(user: User, course_id: int) -> Access:
    """
    What `user` is to the course; administrators are owners everywhere.

    Raises NotFoundError when there is no such course or it is none of theirs.
    """
    course: Any = _with_access(Course.objects.filter(pk=course_id), user).first()
    if course is None:
        raise NotFoundError
    access = Access(
        teaches=course.teaches or user.is_staff,
        owns=course.owns or user.is_staff,
        is_student=course.is_student,
    )
    if not (access.teaches or access.is_student):
        raise NotFoundError
    return access


def can_teach(user: User, course_id: int) -> bool:
    """Whether `user` may act as a teacher of the course now."""
    return user.pk in teachers_among([user], course_id)


def teachers_among(users: Iterable[User], course_id: int) -> set[int]:
    """The ids of those of `users` who may act as a teacher of the course now."""
    users = list(users)
    teachers = {user.pk for user in users if user.is_staff}
    others = {user.pk for user in users} - teachers
    if others:
        statement = f"""
            SELECT user_id FROM {rows.table(CourseTeacher)}
            WHERE course_id = %s AND user_id IN ({rows.marks(others)})
        """
        with connection.cursor() as cursor:
            cursor.execute(statement, [course_id, *others])
            teachers.update(user_id for (user_id,) in cursor.fetchall())
    return teachers


def course_for_teacher(user: User, course_id: int) -> Course:
    """The course, if `user` teaches it; its students get 403, all others 404."""
    if not course_access(user, course_id).teaches:
        raise PermissionDeniedError
    return Course.objects.get(pk=course_id)


def course_for_owner(user: User, course_id: int) -> Course:
    """The course, if `user` may appoint its teachers."""
    if not course_access(user, course_id).owns:
        raise PermissionDeniedError
    return Course.objects.get(pk=course_id)


def class_session_for_teacher(user: User, class_session_id: int) -> ClassSession:
    """The class session with its course; 403 to the course's students, else 404."""
    statement = f"""
        SELECT
            EXISTS (
                SELECT 1 FROM {rows.table(CourseTeacher)} t
                WHERE t.course_id = s.course_id AND t.user_id = %s
            ),
            EXISTS (
                SELECT 1 FROM {rows.table(Enrollment)} e
                WHERE e.course_id = s.course_id AND e.student_id = %s
                    AND e.ended_at IS NULL
            ),
            {rows.selected(s=ClassSession, c=Course)}
        FROM {rows.table(ClassSession)} s
        JOIN {rows.table(Course)} c ON c.id = s.course_id
        WHERE s.id = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [user.pk, user.pk, class_session_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFoundError
    teaches, is_student, *values = row
    if not (teaches or user.is_staff):
        raise PermissionDeniedError if is_student else NotFoundError
    class_session: ClassSession
    class_session, class_session.course = rows.instances(values, ClassSession, Course)
    return class_session


def record_for_history(user: User, record_id: int) -> AttendanceRecord:
    """The record, for its course's teachers and the student concerned."""
    # Every student who has checked in asks this: without the ORM's compiler.
    statement = f"""
        SELECT {rows.selected(r=AttendanceRecord, s=ClassSession, c=Course, u=User)}
        FROM {rows.table(AttendanceRecord)} r
        JOIN {rows.table(ClassSession)} s ON s.id = r.class_session_id
        JOIN {rows.table(Course)} c ON c.id = s.course_id
        JOIN {rows.table(User)} u ON u.id = r.student_id
        WHERE r.id = %s
    """
    models = AttendanceRecord, ClassSession, Course, User
    found = rows.joined(statement, [record_id], *models)
    if not found:
        raise NotFoundError
    record: AttendanceRecord
    record, record.class_session, record.class_session.course, record.student = found[0]
    if record.student_id != user.pk:
        access = course_access(user, record.class_session.course_id)
        if not access.teaches:
            raise PermissionDeniedError
    return record


def courses_taught(user: User) -> QuerySet[Course]:
    """The courses in which `user` may act as a teacher."""
    if user.is_staff:
        return Course.objects.all()
    return Course.objects.filter(
        Exists(CourseTeacher.objects.filter(course=OuterRef("pk"), user=user))
    )


def courses_visible(user: User) -> QuerySet[Course]:
    """Courses taught or taken, each annotated with what `user` is to it."""
    courses = _with_access(Course.objects.all(), user)
    if user.is_staff:
        return courses
    # Not by the annotations: they would be worked out for every course there is.
    taught = CourseTeacher.objects.filter(user=user).order_by().values("course_id")
    taken = Enrollment.objects.filter(student=user, ended_at__isnull=True)
    taken_ids = taken.order_by().values("course_id")
    return courses.filter(pk__in=taught.union(taken_ids))


def class_sessions_taught(user: User) -> QuerySet[ClassSession]:
    """The class sessions that `user` may manage, latest first, with their courses."""
    sessions = ClassSession.objects.select_related("course")
    if user.is_staff:
        return sessions
    return sessions.filter(
        Exists(CourseTeacher.objects.filter(course_id=OuterRef("course_id"), user=user))
    )


def records_visible(user: User, **lookups: int) -> QuerySet[AttendanceRecord]:
    """
    Own records and those of courses taught, latest class session first.

    `lookups` narrow them down further. Without those whose only mark was taken back:
    there is nothing to tell of them.
    """
    matching = AttendanceRecord.objects.exclude(status=UNMARKED).filter(**lookups)
    shown = matching.select_related("class_session__course", "student").order_by(
        "-class_session__starts_at", "-class_session_id", "student_id"
    )
    if user.is_staff:
        return shown
    course_id = lookups.get("class_session__course")
    if course_id is not None:
        return shown if can_teach(user, course_id) else shown.filter(student=user)
    # A union, because no index serves an OR over two tables: each half has its own,
    # and both are told of the lookups, which leave little of a teacher's years.
    own = matching.filter(student=user).order_by()
    taught = CourseTeacher.objects.filter(user=user).values("course_id")
    of_taught = matching.filter(class_session__course__in=taught).order_by()
    return shown.filter(pk__in=own.values("pk").union(of_taught.values("pk")))
