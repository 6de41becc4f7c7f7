"""The people and the course that a benchmark needs, and the requests they send."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from knox.models import AuthToken

from attendance import codes
from attendance.models import ClassSession, Course, Enrollment, User
from attendance.services.class_sessions import create_class_session
from attendance.services.courses import create_course
from attendance_site.sessions import SessionStore
from bench.load import http_request

CSRF = secrets.token_hex(16)


@dataclasses.dataclass(frozen=True)
class School:
    """One course, its teacher, its students and an open class session."""

    teacher: User
    course: Course
    class_session: ClassSession
    students: list[User]


def make_school(students: int) -> School:
    """Into the current database, which may hold others already."""
    mark = secrets.token_hex(3)
    (teacher,) = make_people([f"teacher-{mark}"])
    course = create_course(owner=teacher, name=f"Course {mark}")
    enrolled = make_people([f"student-{mark}-{n}" for n in range(students)])
    now = timezone.now()
    Enrollment.objects.bulk_create(
        [
            Enrollment(course=course, student=s, enrolled_at=now - timedelta(days=9))
            for s in enrolled
        ]
    )
    return School(teacher, course, new_class_session(course, teacher), enrolled)


def new_class_session(course: Course, teacher: User) -> ClassSession:
    """One more open class session of the course."""
    return create_class_session(course=course, actor=teacher, open_now=True)


def make_people(usernames: Sequence[str]) -> list[User]:
    """People who cannot log in with a password."""
    return User.objects.bulk_create(
        [User(username=name, name=name.title(), password="!") for name in usernames]
    )


def bearer_headers(users: Sequence[User]) -> list[dict[str, str]]:
    """A new API token for each."""
    with transaction.atomic():
        tokens = [AuthToken.objects.create(user=user)[1] for user in users]
    return [{"Authorization": f"Bearer {token}"} for token in tokens]


def cookie_headers(users: Sequence[User]) -> list[dict[str, str]]:
    """
    A log-in session of the browser for each, with its CSRF token.

    The keys end in the person's id, so that pgbench can make them too.
    """
    rows, headers = [], []
    mark = secrets.token_hex(6)
    store = SessionStore()
    for user in users:
        key = f"{mark}{user.pk:020}"
        content = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        rows.append(
            Session(
                session_key=key,
                session_data=store.encode(content),
                expire_date=timezone.now() + timedelta(days=1),
            )
        )
        cookies = f"{settings.SESSION_COOKIE_NAME}={key}; csrftoken={CSRF}"
        headers.append({"Cookie": cookies, "X-CSRFToken": CSRF})
    Session.objects.bulk_create(rows)
    return headers


def qr_check_ins(
    class_session: ClassSession, headers: Sequence[dict[str, str]]
) -> list[bytes]:
    """The check-in of everybody with these headers, by the session's QR token."""
    token = codes.make_token(class_session.pk, class_session.code_generation)
    body = json.dumps({"token": token}).encode()
    return [
        http_request("POST", "/api/v1/check-ins/qr/", sent, body) for sent in headers
    ]
