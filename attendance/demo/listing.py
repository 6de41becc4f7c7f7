"""The demo school as others get to see it: as JSON, and as a table of log-ins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from knox.models import AuthToken, get_digest_token
from knox.settings import CONSTANTS, knox_settings

from attendance.demo.school import PASSWORD, demo_courses, demo_people
from attendance.models import CourseTeacher, Enrollment, User

STUDENTS_SHOWN = 2


def as_json() -> dict[str, Any]:
    """The whole school, with a new API token for each person."""
    courses = list(demo_courses())
    admin = demo_people("admin")[0]
    teachers = list(demo_people("teacher"))
    students = list(demo_people("student"))
    tokens = _new_tokens([admin, *teachers, *students])
    taught = _Pairs(
        CourseTeacher.objects.order_by("pk").values_list("course_id", "user_id")
    )
    taken = _Pairs(
        Enrollment.objects.filter(ended_at__isnull=True)
        .order_by("pk")
        .values_list("course_id", "student_id")
    )

    def person(user: User, ids: list[int]) -> dict[str, Any]:
        return {
            "id": user.pk,
            "username": user.username,
            "password": PASSWORD,
            "token": tokens[user.pk],
            "name": user.name,
            "course_ids": sorted(ids),
        }

    return {
        "admin": person(admin, []),
        "teachers": [person(t, taught.courses_of[t.pk]) for t in teachers],
        "students": [person(s, taken.courses_of[s.pk]) for s in students],
        "courses": [
            {
                "id": course.pk,
                "name": course.name,
                "teacher_ids": taught.people_of[course.pk],
                "student_ids": sorted(taken.people_of[course.pk]),
            }
            for course in courses
        ],
    }


class _Pairs:
    """Who belongs to which course, looked up from either side."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self.courses_of: dict[int, list[int]] = defaultdict(list)
        self.people_of: dict[int, list[int]] = defaultdict(list)
        for course_id, user_id in pairs:
            self.courses_of[user_id].append(course_id)
            self.people_of[course_id].append(user_id)


def _new_tokens(users: Iterable[User]) -> dict[int, str]:
    """A new token for each user id, stored as knox's manager does, but at once."""
    expiry = timezone.now() + knox_settings.TOKEN_TTL
    tokens: dict[int, str] = {}
    rows = []
    for user in users:
        digest, tokens[user.pk] = get_digest_token()
        rows.append(
            AuthToken(
                digest=digest,
                token_key=tokens[user.pk][: CONSTANTS.TOKEN_KEY_LENGTH],
                user=user,
                expiry=expiry,
            )
        )
    AuthToken.objects.bulk_create(rows, batch_size=2000)
    return tokens


def log_in_table() -> str:
    """The log-ins to start with, for people to read; "" without a demo school."""
    admin = demo_people("admin").first()
    if admin is None:
        return ""
    rows = [("administrator", admin, "everything, and /admin/")]
    for teacher in demo_people("teacher"):
        courses = teacher.courses_taught.order_by("pk").values_list("name", flat=True)
        rows.append(("teacher", teacher, _few(list(courses))))
    for student in demo_people("student")[:STUDENTS_SHOWN]:
        number = student.enrollments.filter(ended_at__isnull=True).count()
        rows.append(("student", student, f"{number} courses"))
    width = max(len(user.username) for _, user, _ in rows)
    lines = [
        f"  {role:13}  {user.username:{width}}  {what}" for role, user, what in rows
    ]
    return "\n".join([f"Demo log-ins, all with the password {PASSWORD}", *lines])


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown or "-"
