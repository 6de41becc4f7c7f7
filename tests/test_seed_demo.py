"""`manage.py seed_demo`: the demo school."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from attendance import selectors
from attendance.demo import names, school
from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    State,
    Status,
    User,
    VerificationMethod,
)
from attendance.services.class_sessions import open_class_session

from .cast import make_course, make_user

pytestmark = pytest.mark.django_db

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


def test_it_makes_a_school() -> None:
    said = seed()

    assert "4 courses, 3 teachers and 40 students" in said
    assert school.PASSWORD in said
    admin = User.objects.get(username="admin")
    assert admin.is_staff and admin.is_superuser
    assert admin.check_password(school.PASSWORD)
    assert User.objects.get(username="student001").check_password(school.PASSWORD)
    for teacher in User.objects.filter(username__startswith="teacher"):
        assert teacher.has_perm("attendance.add_course")
        assert not teacher.is_staff


def test_json_has_the_shape_that_programs_rely_on() -> None:
    demo = seed_json(*SMALL)

    assert list(demo) == ["admin", "teachers", "students", "courses"]
    for person in (demo["admin"], *demo["teachers"], *demo["students"]):
        assert list(person) == [
            *["id", "username", "password", "token", "name", "course_ids"]
        ]
    for course in demo["courses"]:
        assert list(course) == ["id", "name", "teacher_ids", "student_ids"]
    assert demo["admin"]["course_ids"] == []
    for key, ids in (("teachers", "teacher_ids"), ("students", "student_ids")):
        for person in demo[key]:
            assert person["course_ids"] == [
                c["id"] for c in demo["courses"] if person["id"] in c[ids]
            ]


def test_json_agrees_with_the_api() -> None:
    demo = seed_json(*SMALL)
    for person in (demo["teachers"][1], demo["students"][5]):
        listed = client_of(person).get("/api/v1/courses/").json()["results"]
        assert sorted(c["id"] for c in listed) == person["course_ids"]

    teacher, course = demo["teachers"][0], demo["courses"][0]
    url = f"/api/v1/courses/{course['id']}/enrollments/"
    enrolled = client_of(teacher).get(url).json()["results"]
    assert sorted(e["student_id"] for e in enrolled) == course["student_ids"]
    made = client_of(teacher).post("/api/v1/courses/", {"name": "Chess"}, format="json")
    assert made.status_code == 201


def test_the_password_logs_in() -> None:
    demo = seed_json(*SMALL)
    for person in (demo["admin"], demo["teachers"][0], demo["students"][0]):
        assert APIClient().login(
            username=person["username"], password=person["password"]
        )


def test_each_json_has_new_tokens_and_earlier_ones_stay_valid() -> None:
    first, second = seed_json(*SMALL), seed_json(*SMALL)

    people = len(first["teachers"]) + len(first["students"]) + 1
    assert AuthToken.objects.count() == 2 * people
    assert first["admin"]["token"] != second["admin"]["token"]
    for demo in (first, second):
        assert client_of(demo["admin"]).get("/api/v1/courses/").status_code == 200
    stored = AuthToken.objects.filter(user=second["admin"]["id"]).latest("created")
    assert stored.expiry is not None
    assert second["admin"]["token"].startswith(stored.token_key)
    assert second["admin"]["token"] not in stored.digest


def test_repeated_it_changes_nothing() -> None:
    seed(*SMALL)
    before = contents()
    seed(*SMALL)
    seed("--json", *SMALL)
    seed("--courses", "2", "--students", "4")
    assert contents() == before


def test_it_extends_the_school_and_leaves_what_is_there() -> None:
    seed()
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


def test_extending_in_steps_or_at_once_makes_the_same_people_and_courses() -> None:
    seed("--courses", "2", "--students", "7")
    steps = seed_json("--courses", "7", "--students", "50")
    assert [c["name"] for c in steps["courses"]] == [
        names.subject(number).name for number in range(1, 8)
    ]
    assert [s["name"] for s in steps["students"]] == [
        names.student_name(number) for number in range(1, 51)
    ]
    assert [s["username"] for s in steps["students"]][::49] == [
        "student001",
        "student050",
    ]


@pytest.mark.parametrize("size", [(1, 2), (2, 3), (3, 9), (15, 6)])
def test_whatever_the_size_everybody_finds_a_part(size: tuple[int, int]) -> None:
    demo = seed_json("--courses", str(size[0]), "--students", str(size[1]))
    everybody = {s["id"] for s in demo["students"]}
    assert (len(demo["courses"]), len(everybody)) == size
    for course in demo["courses"]:
        assert set(course["student_ids"]) < everybody, "somebody is not enrolled"
        assert course["student_ids"], "somebody is enrolled"
    if size[0] > 1:
        owned = [t["course_ids"] for t in demo["teachers"]]
        assert set(owned[0]) - set(owned[1])
    assert any(len(c["teacher_ids"]) == 2 for c in demo["courses"])


@pytest.mark.parametrize(
    "arguments", [["--students", "1"], ["--students", "0"], ["--courses", "0"]]
)
def test_a_school_that_cannot_be_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"must be at least"):
        seed(*arguments)
    assert not User.objects.exists()


def test_it_refuses_a_database_with_other_people() -> None:
    make_user("principal", "Paula Principal", email="paula@school.example")
    with pytest.raises(CommandError, match=r"1 people and 0 courses .*--force"):
        seed()
    assert User.objects.count() == 1


def test_it_refuses_a_database_with_other_courses() -> None:
    seed(*SMALL)
    Course.objects.create(name="Nobody's")
    with pytest.raises(CommandError, match=r"0 people and 1 courses"):
        seed("--students", "50")
    assert school.demo_people("student").count() == 8


def test_a_user_called_admin_does_not_make_it_a_demo() -> None:
    make_user("admin", "Real Admin", email="admin@school.example", is_staff=True)
    make_user("student001", "Real Student", email="")
    with pytest.raises(CommandError, match=r"2 people"):
        seed()


def test_forced_it_adds_the_demo_beside_the_others() -> None:
    mine = make_user("admin", "Real Admin", email="admin@school.example")
    course = make_course(mine, "Real Course", code=names.COURSES[0].code)
    taken = make_user("student001", "Real Student", email="s@school.example")

    demo = seed_json("--force", *SMALL)

    ids = {p["id"] for p in (demo["admin"], *demo["students"])}
    assert not ids & {mine.pk, taken.pk}
    assert demo["admin"]["username"] == "admin1"
    assert demo["students"][0]["username"] == "student002"
    assert course.pk not in {c["id"] for c in demo["courses"]}
    assert (len(demo["courses"]), len(demo["students"])) == (3, 8)
    assert mine.check_password("a password for tests")
    before = contents()
    seed("--force", *SMALL)
    assert contents() == before


def test_a_course_that_a_visitor_made_counts_and_stays() -> None:
    demo = seed_json(*SMALL)
    made = client_of(demo["teachers"][0]).post(
        "/api/v1/courses/", {"name": "Chess"}, format="json"
    )
    again = seed_json("--courses", "6", "--students", "8")
    assert len(again["courses"]) == 6
    assert made.json()["id"] in {c["id"] for c in again["courses"]}


def test_the_past_is_full_of_everything() -> None:
    seed()
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
    seed()
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


def test_no_message_of_the_past_is_published(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    submitted: list[object] = []
    monkeypatch.setattr("attendance.events.publisher.submit", submitted.append)
    with django_capture_on_commit_callbacks(execute=True):
        seed(*SMALL)
    assert submitted == []


def test_students_who_join_while_a_session_is_open_are_messages() -> None:
    demo = seed_json(*SMALL)
    session = ClassSession.objects.get(state=State.SCHEDULED)
    teacher = User.objects.get(pk=demo["teachers"][0]["id"])
    open_class_session(class_session=session, actor=teacher)
    before = selectors.snapshot(session.pk)

    seed("--courses", "3", "--students", "12")

    messages = selectors.messages_after(session.pk, before["revision"])
    came = [m["data"]["record"]["student_id"] for m in messages]
    after = selectors.snapshot(session.pk)
    assert sorted(came) == sorted(
        {r["student_id"] for r in after["records"]}
        - {r["student_id"] for r in before["records"]}
    )
    assert came


def test_the_number_of_statements_does_not_grow_with_the_students() -> None:
    seed()

    def statements(students: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            seed("--courses", "3", "--students", str(students))
        return len(captured)

    assert statements(100) == statements(1000)
