"""Courses, their teachers and enrollments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from attendance import events, selectors
from attendance.exceptions import InvalidInputError, LastOwnerError, NotFoundError
from attendance.models import (
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    MessageType,
    Role,
    State,
    User,
)
from attendance.models.course import validate_time_zone
from attendance.payloads import Payload, unmarked_payload


@transaction.atomic
def create_course(
    *, owner: User, name: str, code: str = "", time_zone: str = "UTC"
) -> Course:
    """Make a course and `owner` its first owner. Raises InvalidInputError."""
    course = Course(name=name, code=code, time_zone=time_zone)
    _validate(course)
    course.save()
    CourseTeacher.objects.create(course=course, user=owner, role=Role.OWNER)
    return course


@transaction.atomic
def edit_course(*, course: Course, **fields: Any) -> Course:
    """Change name, code or time zone. Messages committed before keep the old name."""
    course = _locked(course)
    changes = {n: v for n, v in fields.items() if getattr(course, n) != v}
    for name, value in changes.items():
        setattr(course, name, value)
    _validate(course)
    if changes:
        course.save(update_fields=list(changes))
    return course


@transaction.atomic
def enroll_student(
    *, course: Course, student_id: int, actor: User
) -> tuple[Enrollment, bool]:
    """
    Enroll a student; return the enrollment and whether it is new.

    Raises InvalidInputError when there is no such person, or a deactivated one who
    is not enrolled.
    """
    at = timezone.now()
    student = User.objects.filter(pk=student_id).first()
    if student is None or not (
        student.is_active or selectors.is_enrolled(student, course.pk)
    ):
        raise InvalidInputError({"student_id": ["There is no student with this id."]})
    course = _locked(course)
    enrollment, created = Enrollment.objects.get_or_create(
        course=course, student=student, ended_at=None, defaults={"enrolled_at": at}
    )
    if created:
        _announce_in_open_sessions(course, "enrolled", student, actor, at)
        events.announce_courses_changed(student.pk)
    return enrollment, created


@transaction.atomic
def unenroll_student(*, course: Course, student_id: int, actor: User) -> None:
    """
    End a student's enrollment; records and history stay.

    Raises NotFoundError when the student is not enrolled.
    """
    at = timezone.now()
    course = _locked(course)
    enrollment = (
        Enrollment.objects.select_related("student")
        .filter(course=course, student_id=student_id, ended_at__isnull=True)
        .first()
    )
    if enrollment is None:
        raise NotFoundError("This student is not enrolled in the course.")
    # Never before it began, even when the clock was set back in between.
    enrollment.ended_at = max(at, enrollment.enrolled_at)
    enrollment.save(update_fields=["ended_at"])
    _announce_in_open_sessions(course, "unenrolled", enrollment.student, actor, at)


@transaction.atomic
def add_teacher(
    *, course: Course, user_id: int, role: str
) -> tuple[CourseTeacher, bool]:
    """
    Let a person teach the course, or change the role; say whether it is new.

    Raises InvalidInputError for an unknown person, LastOwnerError when the last owner
    would become a co-teacher.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None or not (
        user.is_active or course.course_teachers.filter(user=user).exists()
    ):
        raise InvalidInputError({"user_id": ["There is no person with this id."]})
    if role not in Role.values:
        raise InvalidInputError({"role": [f"There is no role {role!r}."]})
    course = _locked(course)
    teacher, created = CourseTeacher.objects.get_or_create(
        course=course, user=user, defaults={"role": role}
    )
    if not created and teacher.role != role:
        _require_another_owner(teacher)
        teacher.role = role
        teacher.save(update_fields=["role"])
    return teacher, created


@transaction.atomic
def remove_teacher(*, course: Course, user_id: int) -> None:
    """
    End a person's teaching in the course.

    Raises NotFoundError when the person does not teach it, LastOwnerError.
    """
    course = _locked(course)
    teacher = CourseTeacher.objects.filter(course=course, user_id=user_id).first()
    if teacher is None:
        raise NotFoundError("This person does not teach the course.")
    _require_another_owner(teacher)
    teacher.delete()


def _require_another_owner(teacher: CourseTeacher) -> None:
    if teacher.role != Role.OWNER:
        return
    others = CourseTeacher.objects.filter(
        course_id=teacher.course_id, role=Role.OWNER, user__is_active=True
    )
    if not others.exclude(pk=teacher.pk).exists():
        raise LastOwnerError


def _announce_in_open_sessions(
    course: Course, event: str, student: User, actor: User, at: datetime
) -> None:
    """
    One roster message in each open session in which the student has no record.

    The session is locked before its records are looked at: a check-in takes the same
    lock last, so it either shows here or comes after this message.
    """
    sessions = (
        ClassSession.objects.select_for_update(no_key=True)
        .filter(course=course, state=State.OPEN)
        .order_by("pk")
    )
    for class_session in sessions:
        if class_session.records.filter(student=student).exists():
            continue
        class_session.course = course
        record: Payload = unmarked_payload(class_session=class_session, student=student)
        events.next_revision(class_session)
        events.append(
            class_session,
            type=MessageType.ROSTER_UPDATE,
            data={"event": event, "record": record},
            actor=actor,
            at=at,
            student_id=student.pk,
        )


def _locked(course: Course) -> Course:
    """The course, locked: the first lock of all who change its roster or teachers."""
    return Course.objects.select_for_update(no_key=True).get(pk=course.pk)


def _validate(course: Course) -> None:
    errors: dict[str, list[str]] = {}
    if not course.name.strip():
        errors["name"] = ["A course needs a name."]
    try:
        validate_time_zone(course.time_zone)
    except ValidationError as error:
        errors["time_zone"] = list(error.messages)
    if errors:
        raise InvalidInputError(errors)
