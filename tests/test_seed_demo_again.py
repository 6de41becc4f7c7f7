"""`manage.py seed_demo` on a school that it has made: its JSON, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError
from knox.models import AuthToken
from rest_framework.test import APIClient

from attendance import selectors
from attendance.demo import school
from attendance.models import ClassSession, Course, State, User
from attendance.services.class_sessions import open_class_session
from tests.seeding import SMALL, client_of, contents, seed, seed_json

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def demo(module_db: None) -> dict[str, Any]:
    """A small school, as the command that made it told of it."""
    return seed_json(*SMALL)


def test_json_has_the_shape_that_programs_rely_on(demo: dict[str, Any]) -> None:
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


def test_json_agrees_with_the_api(demo: dict[str, Any]) -> None:
    for person in (demo["teachers"][1], demo["students"][5]):
        listed = client_of(person).get("/api/v1/courses/").json()["results"]
        assert sorted(c["id"] for c in listed) == person["course_ids"]

    teacher, course = demo["teachers"][0], demo["courses"][0]
    url = f"/api/v1/courses/{course['id']}/enrollments/"
    enrolled = client_of(teacher).get(url).json()["results"]
    assert sorted(e["student_id"] for e in enrolled) == course["student_ids"]
    made = client_of(teacher).post("/api/v1/courses/", {"name": "Chess"}, format="json")
    assert made.status_code == 201


def test_the_password_logs_in(demo: dict[str, Any]) -> None:
    for person in (demo["admin"], demo["teachers"][0], demo["students"][0]):
        assert APIClient().login(
            username=person["username"], password=person["password"]
        )


def test_each_json_has_new_tokens_and_earlier_ones_stay_valid(
    demo: dict[str, Any],
) -> None:
    first, second = demo, seed_json(*SMALL)

    people = len(first["teachers"]) + len(first["students"]) + 1
    assert AuthToken.objects.count() == 2 * people
    assert first["admin"]["token"] != second["admin"]["token"]
    for told in (first, second):
        assert client_of(told["admin"]).get("/api/v1/courses/").status_code == 200
    stored = AuthToken.objects.filter(user=second["admin"]["id"]).latest("created")
    assert stored.expiry is not None
    assert second["admin"]["token"].startswith(stored.token_key)
    assert second["admin"]["token"] not in stored.digest


def test_repeated_it_changes_nothing() -> None:
    before = contents()
    seed(*SMALL)
    seed("--json", *SMALL)
    seed("--courses", "2", "--students", "4")
    assert contents() == before


def test_it_refuses_a_database_with_other_courses() -> None:
    Course.objects.create(name="Nobody's")
    with pytest.raises(CommandError, match=r"0 people and 1 courses"):
        seed("--students", "50")
    assert school.demo_people("student").count() == 8


def test_a_course_that_a_visitor_made_counts_and_stays(demo: dict[str, Any]) -> None:
    made = client_of(demo["teachers"][0]).post(
        "/api/v1/courses/", {"name": "Chess"}, format="json"
    )
    again = seed_json("--courses", "6", "--students", "8")
    assert len(again["courses"]) == 6
    assert made.json()["id"] in {c["id"] for c in again["courses"]}


def test_students_who_join_while_a_session_is_open_are_messages(
    demo: dict[str, Any],
) -> None:
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
