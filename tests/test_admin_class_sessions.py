"""The admin's class sessions: planned, edited and stepped through the services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from attendance.models import ClassSession, Course, State, User

from .cast import client_for, make_session

LIST = "/admin/attendance/classsession/"


@pytest.fixture
def admin_page(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def planned(course: Course) -> ClassSession:
    return make_session(course, open_now=False, title="Week 1")


def values(session: ClassSession | None = None, **changes: Any) -> dict[str, Any]:
    """What the form sends."""
    sent: dict[str, Any] = {
        "title": "Week 1",
        "location": "",
        "starts_at_0": "2026-09-01",
        "starts_at_1": "09:00:00",
        "ends_at_0": "2026-09-01",
        "ends_at_1": "10:00:00",
        "early_minutes": 15,
        "grace_minutes": 5,
        "allow_late_check_in": "on",
        "late_cutoff_minutes": "",
    }
    if session is not None:
        for name in ("starts_at", "ends_at"):
            at = getattr(session, name)
            sent |= {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}
    return {**sent, **changes}


def steps_of(session: ClassSession) -> list[str]:
    return [e.data["event"] for e in session.events.order_by("revision")]


def test_it_plans_a_session(admin_page: Client, course: Course) -> None:
    form = admin_page.get(f"{LIST}add/").context["adminform"].form
    assert form.get_initial_for_field(
        form.fields["ends_at"], "ends_at"
    ) - form.get_initial_for_field(form.fields["starts_at"], "starts_at") == timedelta(
        hours=1
    )
    page = admin_page.post(f"{LIST}add/", values(course=course.pk))
    assert page.status_code == 302
    session = ClassSession.objects.get()
    assert (session.state, session.revision) == (State.SCHEDULED, 0)
    assert (session.title, f"{session.starts_at:%H:%M}") == ("Week 1", "09:00")


def test_an_edit_of_an_open_session_is_a_message(
    admin_page: Client, class_session: ClassSession, admin: User, teacher: User
) -> None:
    url = f"{LIST}{class_session.pk}/change/"
    page = admin_page.post(url, values(class_session, title="Moved", location="B12"))
    assert page.status_code == 302
    api = client_for(teacher).get(f"/api/v1/class-sessions/{class_session.pk}/")
    assert (api.json()["title"], api.json()["location"]) == ("Moved", "B12")
    event = class_session.events.latest("revision")
    assert (event.data["event"], event.actor) == ("edited", admin)
    assert api.json()["revision"] == event.revision


def test_saving_without_a_change_says_nothing(
    admin_page: Client, class_session: ClassSession
) -> None:
    admin_page.post(
        f"{LIST}{class_session.pk}/change/", values(class_session, title="")
    )
    class_session.refresh_from_db()
    assert steps_of(class_session) == ["opened"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends_at_0": "2026-08-31"}, "A class session ends after it starts."),
        ({"late_cutoff_minutes": "2"}, "The cut-off cannot lie before"),
        ({"grace_minutes": "100000"}, "Use a number of minutes from 0 to"),
        ({"starts_at_0": "9998-01-01", "ends_at_0": "9999-01-01"}, "out of range"),
        ({"starts_at_0": "soon"}, "Enter a valid date"),
        ({"grace_minutes": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_makes_no_sense_is_an_error_on_the_form(
    admin_page: Client, course: Course, changes: dict[str, Any], sentence: str
) -> None:
    page = admin_page.post(f"{LIST}add/", values(course=course.pk, **changes))
    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert "is violated" not in page.content.decode()
    assert not ClassSession.objects.exists()


def test_steps_on_the_page(
    admin_page: Client, planned: ClassSession, admin: User
) -> None:
    url = f"{LIST}{planned.pk}/change/"
    for buttons, button, state in (
        ({"open"}, "open", State.OPEN),
        ({"close", "rotate"}, "rotate", State.OPEN),
        ({"close", "rotate"}, "close", State.CLOSED),
        ({"reopen"}, "reopen", State.OPEN),
    ):
        html = admin_page.get(url).content.decode()
        for name in ("open", "close", "rotate", "reopen"):
            assert (f'name="_{name}"' in html) == (name in buttons)
        page = admin_page.post(url, values(planned, **{f"_{button}": "1"}))
        assert (page.status_code, page["Location"]) == (302, url)
        planned.refresh_from_db()
        assert planned.state == state
    found = steps_of(planned)
    assert found == ["opened", "code_rotated", "auto_close", "closed", "reopened"]
    assert {e.actor for e in planned.events.all()} == {admin}
    assert planned.revision == 5


def test_a_step_that_came_too_late_is_refused_on_the_form(
    admin_page: Client, planned: ClassSession
) -> None:
    page = admin_page.post(
        f"{LIST}{planned.pk}/change/", values(planned, title="Lost", _close="1")
    )
    assert page.status_code == 200
    assert "This class session has not been opened yet." in page.content.decode()
    planned.refresh_from_db()
    assert (planned.title, planned.revision) == ("Week 1", 0)


@pytest.mark.parametrize("step", ["open", "close", "reopen", "rotate"])
def test_actions_on_the_list_go_on_after_a_refusal(
    admin_page: Client, planned: ClassSession, course: Course, step: str
) -> None:
    session = make_session(course)
    page = admin_page.post(
        LIST,
        {
            "action": f"{step}_selected",
            ACTION_CHECKBOX_NAME: [planned.pk, session.pk],
        },
        follow=True,
    )
    levels = [str(message.level_tag) for message in page.context["messages"]]
    assert levels == (["success"] * 2 if step == "open" else ["error", "success"])


def test_facts_cannot_be_sent_along(
    admin_page: Client, planned: ClassSession, other_course: Course
) -> None:
    admin_page.post(
        f"{LIST}{planned.pk}/change/",
        values(
            planned,
            course=other_course.pk,
            **{"state": "open", "verification_code": "000000", "revision": 9},
        ),
    )
    planned.refresh_from_db()
    assert (planned.state, planned.verification_code) == (State.SCHEDULED, None)
    assert planned.course_id != other_course.pk
    assert planned.revision == 0


def test_only_a_session_without_history_can_be_deleted(
    admin_page: Client, planned: ClassSession, course: Course
) -> None:
    session = make_session(course)
    answer = admin_page.post(f"{LIST}{session.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    admin_page.post(
        LIST,
        {
            "action": "delete_selected",
            "post": "yes",
            ACTION_CHECKBOX_NAME: [planned.pk, session.pk],
        },
    )
    assert ClassSession.objects.count() == 2
    answer = admin_page.post(f"{LIST}{planned.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert list(ClassSession.objects.all()) == [session]
