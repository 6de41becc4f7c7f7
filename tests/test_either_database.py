"""What PostgreSQL and SQLite answer differently, and the site must not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from attendance import selectors
from attendance.models import User
from attendance.pages.urls import urlpatterns
from attendance.services.marking import mark_in_bulk
from tests.cast import API, make_course, make_person, make_session, make_students
from tests.pages import browser_of

pytestmark = pytest.mark.usefixtures("either_database")

# One that just fits no 64 bits, and one that fits nothing.
LONG_IDS = [str(2**63), "9" * 25]
PAGES_WITH_IDS = [
    str(page.pattern) for page in urlpatterns if "_id>" in str(page.pattern)
]


@pytest.mark.parametrize("long_id", LONG_IDS)
def test_pages_with_long_ids_are_not_there(long_id: str) -> None:
    browser = browser_of(make_person("admin"))
    answers = {
        page: browser.get("/" + re.sub("<[^>]*_id>", long_id, page)).status_code
        for page in PAGES_WITH_IDS
    }
    assert len(answers) > 10
    assert answers == dict.fromkeys(PAGES_WITH_IDS, 404)


def test_people_are_found_by_id_as_by_the_orm() -> None:
    person = make_person("teacher")
    assert User.objects.get(pk=person.pk) == person
    assert User.objects.get(pk=str(person.pk)) == person
    for unknown in (person.pk + 1, 2**63, 10**30, -(10**30)):
        with pytest.raises(User.DoesNotExist):
            User.objects.get(pk=unknown)
    with pytest.raises(ValueError, match="expected a number but got 'abc'"):
        User.objects.get(pk="abc")


@pytest.mark.parametrize(
    ("left", "api", "page"),
    [
        pytest.param(timedelta(minutes=1), 200, 200, id="a-minute-left"),
        pytest.param(timedelta(0), 401, 302, id="just-expired"),
        pytest.param(-timedelta(hours=3), 401, 302, id="expired-for-hours"),
    ],
)
def test_a_browser_s_log_in_expires(left: timedelta, api: int, page: int) -> None:
    browser = browser_of(make_person("student"))
    Session.objects.update(expire_date=timezone.now() + left)
    assert browser.get(f"{API}/attendance/").status_code == api
    answer = browser.get("/me/")
    assert answer.status_code == page
    if page == 302:
        assert answer["Location"].startswith("/accounts/login/")


def test_conversions_of_columns_are_looked_up_once_not_per_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else they are what takes most of a roster's time on SQLite."""
    teacher = make_person("teacher")
    session = make_session(make_course(teacher))
    look_up, looked_up = connection.ops.get_db_converters, []

    def counting(column: Any) -> Any:
        looked_up.append(column)
        return look_up(column)

    monkeypatch.setattr(connection.ops, "get_db_converters", counting)

    def look_ups_with(more_students: int, prefix: str) -> int:
        make_students(session.course, more_students, prefix)
        mark_in_bulk(
            class_session=session,
            actor=teacher,
            operation="mark_present",
            only_unmarked=True,
            reason="seen",
        )
        looked_up.clear()
        selectors.snapshot(session.pk)
        return len(looked_up)

    assert look_ups_with(2, "few") == look_ups_with(8, "more")
