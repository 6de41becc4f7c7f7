"""What the tests of `manage.py seed_demo` share."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import call_command
from django.db.models import Model
from rest_framework.test import APIClient

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    User,
)

STORED: tuple[type[Model], ...] = (
    User,
    Course,
    CourseTeacher,
    Enrollment,
    ClassSession,
    AttendanceRecord,
    AttendanceEvent,
)


# Big enough for everything that does not depend on the size, and quick.
SMALL = ("--courses", "3", "--students", "8")


def seed(*arguments: str) -> str:
    """What the command prints on standard output."""
    out = io.StringIO()
    call_command("seed_demo", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def seed_json(*arguments: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(seed("--json", *arguments))
    return parsed


def contents() -> list[list[dict[str, Any]]]:
    """Everything stored but tokens."""
    return [list(model._default_manager.order_by("pk").values()) for model in STORED]


def client_of(person: dict[str, Any]) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {person['token']}")
    return client
