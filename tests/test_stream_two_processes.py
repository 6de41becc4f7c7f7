"""A change made through one process shows on a screen at another."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from attendance.models import ClassSession, User
from tests.cast import token_of
from tests.live import open_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


def post(
    site: SiteServer, user: User, path: str, body: Any, timeout: float = 30
) -> tuple[int, Any]:
    """POST to the API of a running site; `timeout` bounds each step of it."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=timeout)
    try:
        connection.request(
            "POST",
            f"/api/v1/{path}",
            json.dumps(body),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {token_of(user)}",
            },
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_it_works(
    transactional_db: None,
    sites: tuple[SiteServer, SiteServer],
    teacher: User,
    student: User,
    class_session: ClassSession,
) -> None:
    here, there = sites
    with (
        open_stream(here, session_path(class_session), user=teacher) as near,
        open_stream(there, session_path(class_session), user=teacher) as far,
    ):
        near.next(), far.next()
        status, answer = post(
            here,
            student,
            "check-ins/code/",
            {"verification_code": class_session.verification_code},
        )
        assert (status, answer["record"]["attendance_status"]) == (201, "present")
        seen = near.next()
        assert seen == far.next()
        assert seen["data"]["student_id"] == student.pk

        status, answer = post(
            there,
            teacher,
            f"class-sessions/{class_session.pk}/override/",
            {"student_id": student.pk, "status": "excused", "reason": "ill"},
        )
        assert status == 200
        seen = near.next()
        assert seen == far.next()
        assert seen["data"]["new_status"] == "excused"
