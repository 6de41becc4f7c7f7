"""The cast of the tests: fixtures that every test may ask for, and their makers.

    teacher, co_teacher   teach `course`; teacher is its owner
    other_teacher         teaches `other_course` and must see nothing of `course`
    student, student2     are enrolled in `course`
    outsider              is a student of the school, enrolled in nothing
    admin                 is an administrator and teaches nothing

`course` has the class session `class_session`, open now. A test that needs commits
seen by other connections asks for `transactional_db` as well.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from attendance.models import (
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    Role,
    User,
)
from attendance.services.class_sessions import create_class_session
from attendance.services.marking import mark_in_bulk

PASSWORD = "a password for tests"

# Before any test begins, so that who was "enrolled before" is beyond doubt.
LONG_AGO = timedelta(days=30)

API = "/api/v1"


# Makers ---------------------------------------------------------------------------


def make_user(username: str, name: str, **fields: Any) -> User:
    """A person who can log in with PASSWORD."""
    return User.objects.create_user(
        username=username, name=name, password=PASSWORD, **fields
    )


def make_course(owner: User, name: str = "Math 101", **fields: Any) -> Course:
    course = Course.objects.create(name=name, **fields)
    CourseTeacher.objects.create(course=course, user=owner, role=Role.OWNER)
    return course


def enroll(course: Course, *students: User) -> None:
    """Enroll students as of long ago, without a message."""
    Enrollment.objects.bulk_create(
        Enrollment(
            course=course, student=student, enrolled_at=timezone.now() - LONG_AGO
        )
        for student in students
    )


def make_students(course: Course, number: int, prefix: str = "pupil") -> list[User]:
    """So many students of the course; they cannot log in with a password."""
    students = User.objects.bulk_create(
        User(username=f"{prefix}{n:04}", name=f"{prefix.title()} {n:04}", password="!")
        for n in range(number)
    )
    enroll(course, *students)
    return students


def make_session(
    course: Course, *, open_now: bool = True, **fields: Any
) -> ClassSession:
    """A class session as the course's owner makes it; open unless told otherwise."""
    owner = User.objects.get(
        course_teachers__course=course, course_teachers__role="owner"
    )
    session = create_class_session(
        course=course, actor=owner, open_now=open_now, **fields
    )
    return ClassSession.objects.select_related("course").get(pk=session.pk)


def token_of(user: User) -> str:
    """A new API token that works."""
    token: str = AuthToken.objects.create(user=user)[1]
    return token


def client_for(user: User) -> APIClient:
    """A client that sends a real token of `user`."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(user)}")
    return client


# What a client does over and over ---------------------------------------------------


def session_path(class_session: ClassSession, tail: str = "") -> str:
    return f"{API}/class-sessions/{class_session.pk}/{tail}"


def course_path(course: Course, tail: str = "") -> str:
    return f"{API}/courses/{course.pk}/{tail}"


def session_of(client: APIClient, class_session: ClassSession) -> dict[str, Any]:
    """The class session as the API shows it now."""
    answer: dict[str, Any] = client.get(session_path(class_session)).json()
    return answer


def snapshot_of(client: APIClient, class_session: ClassSession) -> dict[str, Any]:
    """The snapshot as the API shows it now."""
    answer: dict[str, Any] = client.get(session_path(class_session, "roster/")).json()
    return answer


def messages_of(
    client: APIClient, class_session: ClassSession, after: int = 0
) -> list[dict[str, Any]]:
    """The committed messages after a revision."""
    path = session_path(class_session, f"events/?after={after}")
    events: list[dict[str, Any]] = client.get(path).json()["events"]
    return events


def qr_token_of(client: APIClient, class_session: ClassSession) -> str:
    """The token in the QR code that a teacher shows."""
    token: str = client.get(session_path(class_session, "qr/")).json()["token"]
    return token


def post_json(client: Client, path: str, value: Any) -> Any:
    """
    Send any JSON value; the test client's own encoder cannot send all.

    A lone surrogate, for one, is fine in JSON as an escape and nowhere else.
    """
    return client.post(path, json.dumps(value), content_type="application/json")


def assert_refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The answer is the contract's error with that status and code; its body."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].split(";")[0] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) - {"errors"} == {"code", "detail"}
    assert body["code"] == code
    assert isinstance(body["detail"], str) and len(body["detail"]) > 10
    return body


def raw(
    client: Client,
    path: str,
    body: str | bytes,
    content_type: str = "application/json",
    **extra: str,
) -> Any:
    """Post bytes as they are."""
    return client.post(path, body, content_type=content_type, **extra)  # type: ignore[arg-type]


def wrong_code(*class_sessions: ClassSession) -> str:
    """Six digits that none of these sessions has."""
    taken = {class_session.verification_code for class_session in class_sessions}
    return next(code for n in range(100) if (code := f"{n:06}") not in taken)


# People ---------------------------------------------------------------------------


def make_person(role: str) -> User:
    """The person whom the fixture of that name gives."""
    name, fields = CAST[role]
    person = make_user(role, name, **fields)
    if role == "teacher":
        person.user_permissions.add(Permission.objects.get(codename="add_course"))
    return person


CAST: dict[str, tuple[str, dict[str, bool]]] = {
    "teacher": ("Tilda Owner", {}),
    "co_teacher": ("Conrad Helper", {}),
    "other_teacher": ("Otto Elsewhere", {}),
    "student": ("Ada Lovelace", {}),
    "student2": ("Bela Bartok", {}),
    "outsider": ("Ida Outside", {}),
    "admin": ("Astrid Admin", {"is_staff": True, "is_superuser": True}),
}


@pytest.fixture
def teacher(db: None) -> User:
    """Owns `course`; may create courses, as the demo's teachers may."""
    return make_person("teacher")


@pytest.fixture
def co_teacher(db: None) -> User:
    """Teaches `course`, but does not own it."""
    return make_person("co_teacher")


@pytest.fixture
def other_teacher(db: None) -> User:
    """Owns `other_course`; must never get at anything of `course`."""
    return make_person("other_teacher")


@pytest.fixture
def student(db: None) -> User:
    """Enrolled in `course`."""
    return make_person("student")


@pytest.fixture
def student2(db: None) -> User:
    """Enrolled in `course`, too."""
    return make_person("student2")


@pytest.fixture
def outsider(db: None) -> User:
    """A student of the school who is not enrolled in `course`."""
    return make_person("outsider")


@pytest.fixture
def admin(db: None) -> User:
    """An administrator (`is_staff`, with every permission)."""
    return make_person("admin")


# Their school ---------------------------------------------------------------------


def make_cast_course(owner: User, co_teacher: User, *students: User) -> Course:
    """The course that the fixture `course` gives."""
    course = make_course(owner)
    CourseTeacher.objects.create(course=course, user=co_teacher, role=Role.CO_TEACHER)
    enroll(course, *students)
    return course


@pytest.fixture
def course(teacher: User, co_teacher: User, student: User, student2: User) -> Course:
    """Taught by `teacher` and `co_teacher`, taken by `student` and `student2`."""
    return make_cast_course(teacher, co_teacher, student, student2)


@pytest.fixture
def other_course(other_teacher: User) -> Course:
    """Taught by `other_teacher`; nobody takes it."""
    return make_course(other_teacher, "Poetry")


@pytest.fixture
def class_session(course: Course) -> ClassSession:
    """Open since just now, nobody marked yet."""
    return make_session(course)


@pytest.fixture
def marked(class_session: ClassSession, course: Course, teacher: User) -> ClassSession:
    """`class_session` with three pupils more, and everyone marked present."""
    make_students(course, 3)
    mark_in_bulk(
        class_session=class_session,
        actor=teacher,
        operation="mark_present",
        reason="seen",
    )
    return class_session


# Clients --------------------------------------------------------------------------


@pytest.fixture
def teacher_client(teacher: User) -> APIClient:
    return client_for(teacher)


@pytest.fixture
def student_client(student: User) -> APIClient:
    return client_for(student)
