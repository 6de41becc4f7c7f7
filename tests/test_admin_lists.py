"""The admin's lists stay bounded, and find people, courses and class sessions."""

from __future__ import annotations

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client

from attendance.admin import lists
from attendance.models import ClassSession, Course, User
from attendance.selectors import search
from attendance.services.marking import mark_in_bulk

from .cast import make_course, make_session, make_students, make_user

RECORDS = "/admin/attendance/attendancerecord/"
EVENTS = "/admin/attendance/attendanceevent/"
SESSIONS = "/admin/attendance/classsession/"


@pytest.fixture
def admin_page(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def marked(class_session: ClassSession, course: Course, teacher: User) -> ClassSession:
    """Ada Lovelace, Bela Bartok and three pupils, all marked."""
    make_students(course, 3)
    mark_in_bulk(
        class_session=class_session,
        actor=teacher,
        operation="mark_present",
        reason="seen",
    )
    return class_session


def found(page: Client, path: str, text: str) -> list[str]:
    """What a search lists, as text."""
    answer = page.get(path, {"q": text})
    assert answer.status_code == 200
    return [str(row) for row in answer.context["cl"].result_list]


@pytest.mark.parametrize(
    ("text", "number"), [("Lovelace", 1), ("lovel ada", 1), ("student", 2), ("MATH", 5)]
)
def test_records_are_found(admin_page, marked, text: str, number: int) -> None:
    rows = found(admin_page, RECORDS, text)
    assert "Ada Lovelace: Present" in rows
    assert len(rows) == number


@pytest.mark.parametrize(
    "text", ["velace", "Ada Bartok", "'", "\\", "& | !", ":*", "-"]
)
def test_records_are_not_found(admin_page, marked, text: str) -> None:
    assert found(admin_page, RECORDS, text) == []


def test_events_are_found_by_actor_and_course(admin_page, marked) -> None:
    assert len(found(admin_page, EVENTS, "Tilda")) == 2
    assert len(found(admin_page, EVENTS, "math")) == 2
    assert found(admin_page, EVENTS, "Conrad") == []


def test_class_sessions_are_found_by_title_and_course(admin_page, course) -> None:
    make_session(course, title="Week 3: Limits")
    assert len(found(admin_page, SESSIONS, "limits")) == 1
    assert len(found(admin_page, SESSIONS, "mat 101")) == 1
    assert found(admin_page, SESSIONS, "Poetry") == []


@pytest.mark.parametrize(
    ("model", "text", "number"),
    [
        ("user", "lovelace", 1),
        ("user", "Ada Lovel", 1),
        ("course", "101", 1),
        ("enrollment", "bela", 1),
        ("enrollment", "Math", 2),
    ],
)
def test_people_and_courses_are_found(admin_page, course, model, text, number) -> None:
    make_course(make_user("x", "Xenia"), "Latin")
    assert len(found(admin_page, f"/admin/attendance/{model}/", text)) == number


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "words", "index"),
    [
        (User, search.person_named, "user_words"),
        (Course, search.course_named, "course_words"),
        (ClassSession, search.class_session_titled, "class_session_words"),
    ],
)
def test_a_search_uses_its_index(model, words, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    found = model.objects.filter(words("ada lovelace")).order_by()
    assert index in found.explain()


def test_a_long_list_is_not_counted_to_its_end(
    admin_page, marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LISTED", 3)
    page = admin_page.get(RECORDS)
    assert page.context["cl"].result_count == 3
    assert "The first 3 attendance records; there are more" in page.content.decode()
    monkeypatch.setattr(lists, "LISTED", 5)
    text = admin_page.get(RECORDS).content.decode()
    assert "5 attendance records" in text and "there are more" not in text


def test_no_action_takes_more_than_a_list_shows(
    admin_page, marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {
        "action": "override_selected",
        "select_across": "1",
        ACTION_CHECKBOX_NAME: [str(marked.records.first().pk)],
        **{"apply": "1", "status": "late", "reason": "Fog."},
    }
    monkeypatch.setattr(lists, "LISTED", 4)
    refused = admin_page.post(RECORDS, body, follow=True)
    assert "too many for one action" in refused.content.decode()
    assert not marked.records.filter(status="late").exists()
    monkeypatch.setattr(lists, "LISTED", 5)
    admin_page.post(RECORDS, body)
    assert marked.records.filter(status="late").count() == 5
