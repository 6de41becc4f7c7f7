"""What a fault happens to: a course with an open class session, and all its tokens."""

from __future__ import annotations

import dataclasses
from typing import Any

from attendance.models import ClassSession, Course, CourseTeacher, Role, User
from tests.cast import make_course, make_session, make_students, make_user, token_of


@dataclasses.dataclass(frozen=True, slots=True)
class School:
    """`tokens` are by user id: made beforehand, the threads do without the database."""

    course: Course
    teacher: User
    co_teacher: User
    students: list[User]
    class_session: ClassSession
    tokens: dict[int, str]

    def token(self, user: User) -> str:
        return self.tokens[user.pk]


def make_school(students: int = 60, **fields: Any) -> School:
    """A course of so many students; `fields` are those of its open class session."""
    teacher = make_user("teacher", "Tilda Owner")
    co_teacher = make_user("co_teacher", "Conrad Helper")
    course = make_course(teacher)
    CourseTeacher.objects.create(course=course, user=co_teacher, role=Role.CO_TEACHER)
    pupils = make_students(course, students)
    people = [teacher, co_teacher, *pupils]
    return School(
        course=course,
        teacher=teacher,
        co_teacher=co_teacher,
        students=pupils,
        class_session=make_session(course, **fields),
        tokens={person.pk: token_of(person) for person in people},
    )
