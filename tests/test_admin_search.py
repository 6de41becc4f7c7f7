"""The admin's search boxes find people, courses, class sessions and what is theirs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from attendance.admin import searches
from attendance.models import ClassSession, Course, User
from attendance.services.marking import override_status
from tests.cast import (
    enroll,
    make_course,
    make_person,
    make_session,
    make_user,
)
from tests.pages import browser_of


@pytest.fixture
def page(admin: User) -> Client:
    return browser_of(admin)


def looked_for(page: Client, model: str, text: str) -> Any:
    """The list that the search box of a model leads to."""
    answer = page.get(f"/admin/attendance/{model}/", {"q": text})
    assert answer.status_code == 200
    return answer


def found(page: Client, model: str, text: str) -> list[str]:
    """What is listed, as text."""
    rows = looked_for(page, model, text).context["cl"].result_list
    return [str(row) for row in rows]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Lovelace", 1),
        ("lovel ada", 1),
        ("student", 2),
        ("MATH", 5),
        ("Ada Math", 1),
        ("101 ada lovelace math", 1),
    ],
)
def test_records_are_found(page, marked, text: str, number: int) -> None:
    rows = found(page, "attendancerecord", text)
    assert "Ada Lovelace: Present" in rows
    assert len(rows) == number


@pytest.mark.parametrize(
    "text", ["velace", "Ada Bartok", "Ada Poetry", "'", "\\", "& | !", ":*", "-"]
)
def test_records_are_not_found(page, marked, text: str) -> None:
    assert found(page, "attendancerecord", text) == []


def test_events_are_found_by_actor_and_course(page, marked) -> None:
    assert len(found(page, "attendanceevent", "Tilda")) == 2
    assert len(found(page, "attendanceevent", "math")) == 2
    assert len(found(page, "attendanceevent", "Math Tilda")) == 2
    assert found(page, "attendanceevent", "Conrad") == []


def test_class_sessions_are_found_by_title_and_course(page, course) -> None:
    make_session(course, title="Week 3: Limits")
    for text in ("limits", "mat 101", "Math Week"):
        assert len(found(page, "classsession", text)) == 1
    assert found(page, "classsession", "Poetry Week") == []


@pytest.mark.parametrize(
    ("model", "text", "number"),
    [
        ("user", "lovelace", 1),
        ("user", "Ada Lovel", 1),
        ("course", "101", 1),
        ("enrollment", "bela", 1),
        ("enrollment", "Math", 2),
        ("enrollment", "Math Bela", 1),
        ("enrollment", "Latin Bela", 0),
    ],
)
def test_people_and_courses_are_found(page, course, model, text, number) -> None:
    make_course(make_user("x", "Xenia"), "Latin")
    assert len(found(page, model, text)) == number


@pytest.mark.usefixtures("either_database")
def test_punctuation_only_separates_words() -> None:
    page = browser_of(make_person("admin"))
    person = make_user("ada_l", "Ada O’Brien", email="ada@example.org")
    course = make_course(person, "Computing", code="CS-101")
    make_session(course, title="Limits a/b")
    enroll(course, person)
    for model, texts in {
        "course": ("CS-101", "101", "CS 101", "cs-1", "cs101"),
        "classsession": ("a/b", "b a", "limits/b", "CS-101", "CS/101 a", "CS-102"),
        "user": ("ada@exa", "ada@example.org", "O'Brien", "L, Ada", "ada@exo"),
        "enrollment": ("ada@exa", "CS-101 ada@exa", "cs-101 ada@exo"),
    }.items():
        *right, wrong = texts
        for text in right:
            assert len(found(page, model, text)) == 1, text
        assert found(page, model, wrong) == []


# Bounds -----------------------------------------------------------------------------

NOTICE = "More than 3 people, courses or class sessions have such words"


@pytest.fixture
def five_weeks(
    course: Course, teacher: User, student: User, monkeypatch: pytest.MonkeyPatch
) -> list[ClassSession]:
    """Of Math 101, one record of Ada in each; no more than three may be meant."""
    monkeypatch.setattr(searches, "MEANT", 3)
    weeks = [make_session(course, title=f"Week {n}") for n in range(5)]
    for week in weeks:
        override_status(
            class_session=week,
            actor=teacher,
            student_id=student.pk,
            status="present",
            reason="seen",
        )
    return weeks


@pytest.mark.parametrize(
    ("model", "text", "number", "noticed"),
    [
        ("attendancerecord", "Ada", 5, False),
        ("attendancerecord", "Ada Math", 5, False),
        ("attendancerecord", "Week Lovelace Math Ada", 5, False),
        ("attendancerecord", "Week 4", 1, False),
        ("attendancerecord", "Math", 3, True),
        ("attendancerecord", "Math Week", 3, True),
        ("classsession", "Math Week", 5, False),
        ("classsession", "Week", 5, False),
    ],
)
def test_who_is_not_shown_all_is_told(
    page, five_weeks, model: str, text: str, number: int, noticed: bool
) -> None:
    answer = looked_for(page, model, text)
    assert len(answer.context["cl"].result_list) == number
    html = answer.content.decode()
    assert (NOTICE in html) == noticed
    if noticed:
        # Where it is seen before the rows are read.
        assert html.index(NOTICE) < html.index('id="result_list"')


def test_the_latest_class_sessions_are_taken(page, five_weeks) -> None:
    rows = looked_for(page, "attendancerecord", "Math").context["cl"].result_list
    assert {row.class_session for row in rows} == set(five_weeks[-3:])


def test_the_one_is_found_among_many_of_the_same_name(page, five_weeks, course) -> None:
    """Though there are more of either name than may be meant."""
    for number in range(4):
        make_user(f"a{number}", "Ada Byron")
        make_user(f"b{number}", "Augusta Lovelace")
    answer = looked_for(page, "attendancerecord", "Ada Lovelace")
    assert len(answer.context["cl"].result_list) == 5
    assert "More than" not in answer.content.decode()
    assert NOTICE in looked_for(page, "attendancerecord", "Ada Math").content.decode()


def test_a_long_text_is_refused_in_words(page, marked) -> None:
    answer = looked_for(page, "attendancerecord", "Ada " + " ".join("bcdefghijklm"))
    assert answer.context["cl"].result_count == 0
    assert "Search for at most 10 words." in answer.content.decode()
