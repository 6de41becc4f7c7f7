"""
Making and growing the demo school.

A person belongs to the demo when the e-mail address is <username>@demo.invalid, a
domain that cannot exist; a course when such a person teaches it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from attendance.demo import names
from attendance.demo.past import add_past
from attendance.models import (
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    Role,
    State,
    User,
)
from attendance.services.courses import enroll_student

# Published on purpose: the accounts are for trying the project out.
PASSWORD = "demo-attendance"
_EMAIL_ENDING = "@demo.invalid"

BASE_COURSES = len(names.COURSES)
BASE_STUDENTS = len(names.STUDENTS)
# Somebody must be enrolled and somebody must not.
LEAST_STUDENTS = 2
LEAST_COURSES = 1
TEACHERS = len(names.TEACHERS)
TERM_LENGTH = timedelta(weeks=6)

# The first courses are lectures for nearly everybody, so that a big school has a full
# hall; the others are seminars, so that a school of many courses stays of a size.
LECTURES = 12
SEMINAR_SIZE = 30

# Any number will do, as long as nobody else uses it in the same database.
_LOCK = 7_283_364


class ForeignDataError(Exception):
    """The database holds people or courses that are not the demo's."""


def demo_people(role: str = "") -> QuerySet[User]:
    """The demo's people by id; `role` is "admin", "teacher" or "student"."""
    return User.objects.filter(
        email=Concat("username", Value(_EMAIL_ENDING)), username__startswith=role
    ).order_by("pk")


def demo_courses() -> QuerySet[Course]:
    """The courses that somebody of the demo teaches, by id."""
    return Course.objects.filter(_taught_by_demo()).order_by("pk")


def _taught_by_demo() -> Exists:
    return Exists(
        CourseTeacher.objects.filter(
            course=OuterRef("pk"), user__in=demo_people("teacher")
        )
    )


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """
    A transaction that waits for any other one of its kind.

    On SQLite that is every transaction (see transaction_mode in the settings).
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def seed(
    *, courses: int = BASE_COURSES, students: int = BASE_STUDENTS, force: bool = False
) -> None:
    """
    Make the demo school, or extend it, to so many courses and students in all.

    What is there stays as it is, also when it is more. Raises ForeignDataError,
    unless forced, on a database in which others have people or courses.
    """
    with one_at_a_time():
        if not force:
            _refuse_foreign_data()
        if not demo_people("admin").exists():
            _create_base(min(courses, BASE_COURSES), min(students, BASE_STUDENTS))
        _grow(courses, students, since=timezone.now())


def seed_if_empty() -> None:
    """Make the demo school in a database without any people."""
    with one_at_a_time():
        if not User.objects.exists():
            seed()


def _refuse_foreign_data() -> None:
    people = User.objects.exclude(pk__in=demo_people()).count()
    courses = Course.objects.exclude(_taught_by_demo()).count()
    if people or courses:
        raise ForeignDataError(
            f"This database holds {people} people and {courses} courses "
            "that are not the demo's."
        )


def _create_base(courses: int, students: int) -> None:
    term_start = timezone.now() - TERM_LENGTH
    _add_people("admin", [names.ADMIN], term_start, numbered=False)
    teachers = _add_people("teacher", names.TEACHERS, term_start)
    permission = Permission.objects.get(
        content_type__app_label="attendance", codename="add_course"
    )
    permission.user_set.add(*teachers)
    _grow(courses, students, since=term_start)
    add_past(list(demo_courses()))


def _grow(courses: int, students: int, *, since: datetime) -> None:
    """Add what is missing to so many courses and students, enrolled `since` then."""
    old_students = demo_people("student").count()
    new_names = [
        names.student_name(number) for number in range(old_students + 1, students + 1)
    ]
    new_students = {s.pk for s in _add_people("student", new_names, since)}
    new_courses = {course.pk for course in _add_courses(courses, since)}
    if not new_students and not new_courses:
        return

    # Locked, so that no class session opens while enrollments are written past it.
    of_demo = list(
        Course.objects.select_for_update(no_key=True)
        .filter(pk__in=demo_courses().values("pk"))
        .order_by("pk")
    )
    everybody = list(demo_people("student").values_list("pk", flat=True))
    _enroll(
        [
            (course, student_id)
            for index, course in enumerate(of_demo)
            for student_id in _takers(index, everybody)
            if course.pk in new_courses or student_id in new_students
        ],
        since,
    )


def _takers(course_index: int, student_ids: Sequence[int]) -> Iterator[int]:
    """Who takes the course; in a school of two or more never everybody."""
    number = len(student_ids)
    if course_index >= LECTURES:
        size = min(SEMINAR_SIZE, number - 1)
        start = course_index * SEMINAR_SIZE
        yield from (student_ids[(start + i) % number] for i in range(size))
        return
    # About four people of each lecture's school do not take it.
    every = max(min(number, 8), number // 4)
    for index, student_id in enumerate(student_ids):
        if index % every != course_index % every:
            yield student_id


def _enroll(pairs: list[tuple[Course, int]], since: datetime) -> None:
    watched = set(
        ClassSession.objects.filter(state=State.OPEN).values_list(
            "course_id", flat=True
        )
    )
    enrolled = set(
        Enrollment.objects.filter(
            course__in={course.pk for course, _ in pairs}, ended_at__isnull=True
        ).values_list("course_id", "student_id")
    )
    rows = []
    admin = demo_people("admin")[0]
    for course, student_id in pairs:
        if (course.pk, student_id) in enrolled:
            continue
        if course.pk in watched:
            # Somebody looks at the roster just now: each gets a message.
            enroll_student(course=course, student_id=student_id, actor=admin)
        else:
            rows.append(
                Enrollment(course=course, student_id=student_id, enrolled_at=since)
            )
    Enrollment.objects.bulk_create(rows, batch_size=5000)


def _add_people(
    role: str, people: Sequence[str], joined: datetime, *, numbered: bool = True
) -> list[User]:
    if not people:
        return []
    taken = set(
        User.objects.filter(username__startswith=role).values_list(
            "username", flat=True
        )
    )
    width = 3 if role == "student" else 1
    wanted: Iterator[str] = (
        f"{role}{number:0{width}}" for number in itertools.count(1)
    )
    if not numbered:
        wanted = itertools.chain([role], wanted)
    free = (username for username in wanted if username not in taken)
    password = _password_hash()
    return User.objects.bulk_create(
        [
            User(
                username=username,
                name=name,
                email=f"{username}{_EMAIL_ENDING}",
                password=password,
                is_staff=role == "admin",
                is_superuser=role == "admin",
                date_joined=joined,
            )
            for name, username in zip(people, free, strict=False)
        ],
        batch_size=2000,
    )


@functools.cache
def _password_hash() -> str:
    """The password's hash, made once for all: it is slow on purpose."""
    return make_password(PASSWORD)


def _add_courses(wanted: int, since: datetime) -> list[Course]:
    """New courses with their teachers, up to `wanted` in all."""
    have = demo_courses().count()
    if have >= wanted:
        return []
    codes = set(demo_courses().values_list("code", flat=True))
    subjects = (names.subject(number) for number in itertools.count(1))
    free = (subject for subject in subjects if subject.code not in codes)
    added = Course.objects.bulk_create(
        [
            Course(name=s.name, code=s.code, time_zone=s.time_zone)
            for s in itertools.islice(free, wanted - have)
        ],
        batch_size=2000,
    )
    Course.objects.filter(pk__in=[course.pk for course in added[:50]]).update(
        created_at=since
    )
    teachers = list(demo_people("teacher")[:TEACHERS])
    co_taught = CourseTeacher.objects.filter(
        role=Role.CO_TEACHER, user__in=teachers
    ).exists()
    rows = []
    for index, course in enumerate(added, start=have):
        # The third course has the first teacher again, the second one helping, so
        # that each of the two also has a course without the other.
        owner = (0, 1, 0, 2)[index % 4]
        rows.append(CourseTeacher(course=course, user=teachers[owner], role=Role.OWNER))
        if not co_taught and (index == 2 or index == wanted - 1):
            helper = teachers[0 if owner == 1 else 1]
            rows.append(CourseTeacher(course=course, user=helper))
            co_taught = True
    CourseTeacher.objects.bulk_create(rows, batch_size=2000)
    return added
