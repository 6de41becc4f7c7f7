"""The admin's lists stay bounded, also for who looks for something in them."""

from __future__ import annotations

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client

from attendance.admin import lists
from attendance.models import ClassSession, Course, User
from attendance.selectors import search
from tests.pages import browser_of

RECORDS = "/admin/attendance/attendancerecord/"


@pytest.fixture
def admin_page(admin: User) -> Client:
    return browser_of(admin)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "words", "index"),
    [
        (User, search.person_named, "user_plain_words"),
        (Course, search.course_named, "course_plain_words"),
        (ClassSession, search.class_session_titled, "class_session_plain_words"),
    ],
)
def test_a_search_uses_its_index(model, words, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    found = model.objects.filter(words(["ada", "lovelace"])).order_by()
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
