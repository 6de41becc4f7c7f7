"""Start, plan, edit, open, close and rotate, by the forms of the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from attendance.models import ClassSession, Course, State, User
from tests.cast import make_session
from tests.pages import browser_of, course_page, live_page, said, text_of

PLAN = {
    "title": "Week 3",
    "location": "B12",
    "starts_at": "2026-09-01T09:00",
    "ends_at": "2026-09-01T10:30",
    "grace_minutes": "10",
    "early_minutes": "",
    "allow_late_check_in": "on",
    "late_cutoff_minutes": "",
}


def test_one_click_starts_a_class_session(course: Course, teacher: User) -> None:
    response = browser_of(teacher).post(course_page(course, "start/"))
    started = ClassSession.objects.get()
    assert response["Location"] == live_page(started)
    assert started.state == State.OPEN
    assert abs(started.starts_at - timezone.now()) < timedelta(minutes=1)
    assert started.ends_at - started.starts_at == timedelta(hours=1)


def test_planning_takes_times_in_the_courses_time_zone(
    course: Course, teacher: User
) -> None:
    Course.objects.update(time_zone="Europe/Berlin")
    response = browser_of(teacher).post(course_page(course, "plan/"), PLAN)
    planned = ClassSession.objects.get()
    assert response["Location"] == live_page(planned)
    assert planned.state == State.SCHEDULED
    assert planned.starts_at == datetime(2026, 9, 1, 7, tzinfo=UTC)
    assert planned.ends_at == datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
    assert (planned.title, planned.location) == ("Week 3", "B12")
    assert (planned.grace_minutes, planned.early_minutes) == (10, 15)


def test_planning_and_starting_at_once(course: Course, teacher: User) -> None:
    browser_of(teacher).post(course_page(course, "plan/"), {**PLAN, "open": "1"})
    assert ClassSession.objects.get().is_open


WRONG: list[dict[str, Any]] = [
    {"starts_at": ""},
    {"starts_at": "yesterday"},
    {"starts_at": "0001-01-01T00:00"},
    {"starts_at": "9999-12-31T23:59", "ends_at": "9999-12-31T23:59"},
    {"ends_at": "2026-09-01T09:00"},
    {"ends_at": "2026-08-01T09:00"},
    {"grace_minutes": "-1"},
    {"grace_minutes": "9" * 30},
    {"grace_minutes": "ten"},
    {"grace_minutes": "20", "late_cutoff_minutes": "10"},
    {"title": "x" * 201},
    {"title": "a\0b"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_planning_nonsense(
    course: Course, teacher: User, wrong: dict[str, Any]
) -> None:
    Course.objects.update(time_zone="Pacific/Kiritimati")
    response = browser_of(teacher).post(course_page(course, "plan/"), {**PLAN, **wrong})
    assert response.status_code == 400
    assert "errorlist" in text_of(response)
    assert not ClassSession.objects.exists()


@pytest.mark.parametrize("wrong", WRONG)
def test_editing_to_nonsense(
    class_session: ClassSession, teacher: User, wrong: dict[str, Any]
) -> None:
    response = browser_of(teacher).post(
        live_page(class_session, "edit/"), {**PLAN, **wrong}
    )
    assert response.status_code == 400
    class_session.refresh_from_db()
    assert class_session.revision == 1


def test_editing_changes_only_what_was_changed(
    class_session: ClassSession, teacher: User
) -> None:
    browser = browser_of(teacher)
    path = live_page(class_session, "edit/")
    shown = browser.get(path).context["form"]
    data = {f.name: f.value() for f in shown if f.value() not in (None, False)}
    data["starts_at"] = class_session.starts_at.strftime("%Y-%m-%dT%H:%M")
    data["ends_at"] = class_session.ends_at.strftime("%Y-%m-%dT%H:%M")

    browser.post(path, data)
    class_session.refresh_from_db()
    assert class_session.revision == 1  # nothing was changed, nothing said

    before = class_session.starts_at
    assert browser.post(path, {**data, "title": "Week 4"}).status_code == 302
    class_session.refresh_from_db()
    assert class_session.title == "Week 4"
    assert class_session.starts_at == before  # to the microsecond


def test_open_close_and_reopen(course: Course, teacher: User) -> None:
    session = make_session(course, open_now=False)
    browser = browser_of(teacher)
    for tail, state in (("open/", "open"), ("close/", "closed"), ("open/", "open")):
        response = browser.post(live_page(session, tail))
        assert response["Location"] == live_page(session)
        session.refresh_from_db()
        assert session.state == state


def test_closing_marks_the_unmarked_absent(
    class_session: ClassSession, teacher: User
) -> None:
    browser_of(teacher).post(live_page(class_session, "close/"))
    statuses = class_session.records.values_list("status", flat=True)
    assert list(statuses) == ["absent", "absent"]


def test_closing_what_was_never_open_says_so(course: Course, teacher: User) -> None:
    session = make_session(course, open_now=False)
    response = browser_of(teacher).post(live_page(session, "close/"))
    assert response["Location"] == live_page(session)
    assert said(response) == ["This class session has not been opened yet."]


def test_new_code(class_session: ClassSession, teacher: User) -> None:
    before = class_session.verification_code
    browser_of(teacher).post(live_page(class_session, "rotate-code/"))
    class_session.refresh_from_db()
    assert class_session.verification_code != before


def test_no_new_code_for_a_closed_one(
    class_session: ClassSession, teacher: User
) -> None:
    browser = browser_of(teacher)
    browser.post(live_page(class_session, "close/"))
    response = browser.post(live_page(class_session, "rotate-code/"))
    assert said(response)[-1] == "This class session is not open."
