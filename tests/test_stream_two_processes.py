"""A change made through one process shows on a screen at another."""

from __future__ import annotations

import pytest

from attendance.models import ClassSession, User
from tests.cast import token_of
from tests.live import open_stream, post, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


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
            "check-ins/code/",
            {"verification_code": class_session.verification_code},
            token=token_of(student),
        )
        assert (status, answer["record"]["attendance_status"]) == (201, "present")
        seen = near.next()
        assert seen == far.next()
        assert seen["data"]["student_id"] == student.pk

        status, answer = post(
            there,
            f"class-sessions/{class_session.pk}/override/",
            {"student_id": student.pk, "status": "excused", "reason": "ill"},
            token=token_of(teacher),
        )
        assert status == 200
        seen = near.next()
        assert seen == far.next()
        assert seen["data"]["new_status"] == "excused"
