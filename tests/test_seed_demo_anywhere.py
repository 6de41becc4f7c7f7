"""`manage.py seed_demo` of any size, and in databases with others' data."""

from __future__ import annotations

import pytest
from django.core.management import CommandError
from pytest_django import DjangoCaptureOnCommitCallbacks

from attendance.demo import names
from attendance.models import User
from tests.cast import make_course, make_user
from tests.seeding import SMALL, contents, seed, seed_json

pytestmark = pytest.mark.django_db


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


def test_no_message_of_the_past_is_published(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    submitted: list[object] = []
    monkeypatch.setattr("attendance.events.publisher.submit", submitted.append)
    with django_capture_on_commit_callbacks(execute=True):
        seed(*SMALL)
    assert submitted == []
