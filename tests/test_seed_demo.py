"""`manage.py seed_demo`: the demo school, with its past."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance import selectors
from attendance.demo import school
from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    State,
    Status,
    User,
    VerificationMethod,
)
from tests.seeding import contents, seed, seed_json

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def said(module_db: None) -> str:
    """The school of the size that it has unless told otherwise; what was printed."""
    return seed()


def test_it_makes_a_school(said: str) -> None:
    assert "4 courses, 3 teachers and 40 students" in said
    assert school.PASSWORD in said
    admin = User.objects.get(username="admin")
    assert admin.is_staff and admin.is_superuser
    assert admin.check_password(school.PASSWORD)
    assert User.objects.get(username="student001").check_password(school.PASSWORD)
    for teacher in User.objects.filter(username__startswith="teacher"):
        assert teacher.has_perm("attendance.add_course")
        assert not teacher.is_staff


def test_it_extends_the_school_and_leaves_what_is_there() -> None:
    before = contents()
    demo = seed_json("--courses", "14", "--students", "60")

    assert (len(demo["courses"]), len(demo["students"])) == (14, 60)
    assert len({c["name"] for c in demo["courses"]}) == 14
    for old, new in zip(before, contents(), strict=True):
        kept = {row["id"]: row for row in new}
        assert [kept[row["id"]] for row in old] == old
    # The new students are in the old courses and the old students in the new ones.
    old_course, new_course = demo["courses"][0], demo["courses"][5]
    assert demo["students"][50]["id"] in old_course["student_ids"]
    assert demo["students"][6]["id"] in new_course["student_ids"]


def test_the_past_is_full_of_everything() -> None:
    past = ClassSession.objects.filter(state=State.CLOSED)
    assert past.count() == 16
    assert not ClassSession.objects.filter(state=State.OPEN).exists()
    assert ClassSession.objects.filter(state=State.SCHEDULED).count() == 1
    records = AttendanceRecord.objects.all()
    assert set(records.values_list("status", flat=True)) == set(Status.values)
    assert set(records.values_list("verification_method", flat=True)) == set(
        VerificationMethod.values
    )
    present = records.filter(status=Status.PRESENT).count()
    assert 0.6 < present / records.count() < 0.9
    events = {
        event.data.get("event", event.type) for event in AttendanceEvent.objects.all()
    }
    assert events == {
        *["student_joined", "override", "bulk", "auto_close", "opened", "closed"],
        *["reopened", "code_rotated"],
    }


def test_the_past_is_what_its_messages_say() -> None:
    """Revisions without holes, in the order of time; replay = snapshot."""
    for session in ClassSession.objects.exclude(state=State.SCHEDULED):
        messages = selectors.messages_after(session.pk, 0)
        assert [m["revision"] for m in messages] == list(range(1, session.revision + 1))
        times = [m["timestamp"] for m in messages]
        assert times == sorted(times)

        replayed: dict[int, dict[str, Any]] = {}
        state: dict[str, Any] = {}
        for message in messages:
            data = message["data"]
            if message["type"] == "session_update":
                state = data["class_session"]
                continue
            for change in data.get("records", (data,)):
                replayed[change["student_id"]] = change
        snapshot = selectors.snapshot(session.pk)
        moving = {"counts": None, "revision": None}
        assert {**state, **moving} == {**snapshot["class_session"], **moving}
        assert len(snapshot["records"]) == len(replayed)
        for record in snapshot["records"]:
            change = replayed[record["student_id"]]
            assert record == {field: change[field] for field in record}


def test_the_number_of_statements_does_not_grow_with_the_students() -> None:
    def statements(students: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            seed("--courses", "3", "--students", str(students))
        return len(captured)

    assert statements(100) == statements(1000)
