from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from attendance.models import ClassSession
from tests.cast import API, course_path, make_session, messages_of, session_of

pytestmark = pytest.mark.django_db
PATH = f"{API}/class-sessions/"


def test_everything_has_a_default(course, teacher_client):
    before = timezone.now()
    answer = teacher_client.post(PATH, {"course_id": course.pk})
    assert answer.status_code == 201
    body = answer.json()
    starts_at = datetime.fromisoformat(body["starts_at"])
    assert before <= starts_at <= timezone.now()
    assert datetime.fromisoformat(body["ends_at"]) == starts_at + timedelta(hours=1)
    assert body == {
        "id": body["id"],
        "course_id": course.pk,
        "class_name": "Math 101",
        "title": "",
        "location": "",
        "starts_at": body["starts_at"],
        "ends_at": body["ends_at"],
        "state": "scheduled",
        "grace_minutes": 5,
        "early_minutes": 15,
        "allow_late_check_in": True,
        "late_cutoff_minutes": None,
        "verification_code": None,
        "revision": 0,
        "counts": {
            "enrolled": 2,
            "unmarked": 2,
            "present": 0,
            "late": 0,
            "absent": 0,
            "excused": 0,
        },
    }
    assert teacher_client.get(f"{PATH}{body['id']}/").json() == body


def test_every_field_can_be_given(course, teacher_client):
    fields = {
        "title": "Week 3",
        "location": "B12",
        "starts_at": "2026-09-01T09:00:00Z",
        "ends_at": "2026-09-01T10:30:00Z",
        "grace_minutes": 0,
        "early_minutes": 0,
        "allow_late_check_in": False,
        "late_cutoff_minutes": 0,
    }
    answer = teacher_client.post(PATH, {"course_id": course.pk, **fields})
    assert answer.status_code == 201
    body = answer.json()
    assert {name: body[name] for name in fields} == fields


def test_times_come_back_in_utc_with_an_hour_after_a_given_start(
    course, teacher_client
):
    body = {"course_id": course.pk, "starts_at": "2026-09-01T09:00:00+02:00"}
    answer = teacher_client.post(PATH, body)
    assert answer.json()["starts_at"] == "2026-09-01T07:00:00Z"
    assert answer.json()["ends_at"] == "2026-09-01T08:00:00Z"


def test_with_open_it_is_open_in_the_answer(course, teacher_client):
    answer = teacher_client.post(PATH, {"course_id": course.pk, "open": True})
    assert answer.status_code == 201
    body = answer.json()
    assert body["state"] == "open"
    assert body["revision"] == 1
    code = body["verification_code"]
    assert len(code) == 6 and code.isascii() and code.isdigit()
    (message,) = messages_of(teacher_client, ClassSession(pk=body["id"]))
    assert message["type"] == "session_update"
    assert message["revision"] == 1
    assert message["class_session_id"] == body["id"]
    assert message["data"] == {"event": "opened", "class_session": body}


def test_with_open_false_it_is_planned(course, teacher_client):
    answer = teacher_client.post(PATH, {"course_id": course.pk, "open": False})
    assert answer.json()["state"] == "scheduled"


def test_a_course_may_have_several_open_sessions(course, teacher_client):
    bodies = [
        teacher_client.post(PATH, {"course_id": course.pk, "open": True}).json()
        for _ in range(5)
    ]
    assert {body["state"] for body in bodies} == {"open"}
    assert len({body["verification_code"] for body in bodies}) == 5


def test_the_class_name_is_the_courses_name(course, class_session, teacher_client):
    teacher_client.patch(course_path(course), {"name": "Algebra"})
    assert session_of(teacher_client, class_session)["class_name"] == "Algebra"


def test_read_only_fields_are_ignored(course, teacher_client):
    body = {
        "course_id": course.pk,
        "id": 1,
        "state": "closed",
        "revision": 99,
        "verification_code": "123456",
        "class_name": "Mine",
        "counts": {"enrolled": 0},
        "no_such_field": 1,
    }
    answer = teacher_client.post(PATH, body)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["state"], body["revision"]) == ("scheduled", 0)
    assert body["verification_code"] is None
    assert body["class_name"] == "Math 101"
    assert body["counts"]["enrolled"] == 2


TIME = "2026-09-01T09:00:00Z"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"course_id": None}, "course_id"),
        ({"course_id": "1"}, "course_id"),
        ({"course_id": True}, "course_id"),
        ({"course_id": 1.0}, "course_id"),
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"location": ["B12"]}, "location"),
        ({"location": "x" * 201}, "location"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"starts_at": "2026-09-01"}, "starts_at"),
        ({"starts_at": "2026-09-01T09:00:00"}, "starts_at"),
        ({"starts_at": "2026-02-30T09:00:00Z"}, "starts_at"),
        ({"starts_at": 1756717200}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59-14:00"}, "starts_at"),
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "ends_at"),
        ({"starts_at": TIME, "ends_at": TIME}, "ends_at"),
        ({"starts_at": TIME, "ends_at": "2026-09-01T08:59:59Z"}, "ends_at"),
        ({"ends_at": "2001-01-01T00:00:00Z"}, "ends_at"),
        ({"grace_minutes": -1}, "grace_minutes"),
        ({"grace_minutes": "5"}, "grace_minutes"),
        ({"grace_minutes": 5.0}, "grace_minutes"),
        ({"grace_minutes": True}, "grace_minutes"),
        ({"grace_minutes": None}, "grace_minutes"),
        ({"grace_minutes": 10**30}, "grace_minutes"),
        ({"early_minutes": -1}, "early_minutes"),
        ({"early_minutes": 2**31}, "early_minutes"),
        ({"early_minutes": [5]}, "early_minutes"),
        ({"allow_late_check_in": "true"}, "allow_late_check_in"),
        ({"allow_late_check_in": 1}, "allow_late_check_in"),
        ({"allow_late_check_in": None}, "allow_late_check_in"),
        ({"late_cutoff_minutes": -1}, "late_cutoff_minutes"),
        ({"late_cutoff_minutes": 2**63}, "late_cutoff_minutes"),
        ({"late_cutoff_minutes": False}, "late_cutoff_minutes"),
        # Below the grace, given or not.
        ({"grace_minutes": 10, "late_cutoff_minutes": 9}, "late_cutoff_minutes"),
        ({"late_cutoff_minutes": 4}, "late_cutoff_minutes"),
        ({"open": "yes"}, "open"),
        ({"open": 1}, "open"),
        ({"open": None}, "open"),
    ],
)
def test_what_makes_no_sense_is_invalid(fields, wrong, course, teacher_client):
    answer = teacher_client.post(PATH, {"course_id": course.pk, **fields})
    assert answer.status_code == 400, answer.json()
    assert answer.json()["code"] == "invalid"
    assert wrong in answer.json()["errors"]
    assert teacher_client.get(PATH).json()["count"] == 0


def test_the_course_is_needed(course, teacher_client):
    answer = teacher_client.post(PATH, {"open": True})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["course_id"]


@pytest.mark.parametrize("course_id", [0, -1, 999_999_999, 2**63, 10**30])
def test_an_unknown_course_is_not_found(course_id, course, teacher_client):
    answer = teacher_client.post(PATH, {"course_id": course_id})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_the_cut_off_may_equal_the_grace(course, teacher_client):
    body = {"course_id": course.pk, "grace_minutes": 10, "late_cutoff_minutes": 10}
    assert teacher_client.post(PATH, body).status_code == 201


# The list -------------------------------------------------------------------------


@pytest.fixture
def sessions(course, other_course):
    start = datetime(2026, 9, 1, 9, tzinfo=UTC)
    return {
        "planned": make_session(course, open_now=False, starts_at=start),
        "open": make_session(course, starts_at=start + timedelta(days=1)),
        "elsewhere": make_session(other_course, starts_at=start),
    }


def ids(answer):
    assert answer.status_code == 200
    return [row["id"] for row in answer.json()["results"]]


def test_the_list_holds_the_teachers_own_latest_first(sessions, teacher_client):
    answer = teacher_client.get(PATH)
    assert ids(answer) == [sessions["open"].pk, sessions["planned"].pk]
    body = answer.json()
    assert (body["count"], body["next"], body["previous"]) == (2, None, None)
    assert body["results"][0] == session_of(teacher_client, sessions["open"])


def test_it_can_be_filtered(sessions, course, other_course, teacher_client):
    opened, planned = sessions["open"].pk, sessions["planned"].pk
    assert ids(teacher_client.get(f"{PATH}?state=open")) == [opened]
    assert ids(teacher_client.get(f"{PATH}?state=scheduled")) == [planned]
    assert ids(teacher_client.get(f"{PATH}?state=closed")) == []
    both = f"{PATH}?course={course.pk}&state=open"
    assert ids(teacher_client.get(both)) == [opened]
    assert ids(teacher_client.get(f"{PATH}?course={course.pk}")) == [opened, planned]


@pytest.mark.parametrize("course_id", ["0", "999999999", "9" * 18, "9" * 40])
def test_what_the_caller_may_not_see_filters_to_nothing(
    course_id, sessions, teacher_client
):
    assert ids(teacher_client.get(f"{PATH}?course={course_id}")) == []


def test_somebody_elses_course_filters_to_nothing(
    sessions, other_course, teacher_client
):
    assert ids(teacher_client.get(f"{PATH}?course={other_course.pk}")) == []


@pytest.mark.parametrize(
    "query",
    [
        "state=opened",
        "state=OPEN",
        "state=",
        "state=unmarked",
        "course=",
        "course=math",
        "course=1.5",
        "course=1.0",
        "course=1_0",
        "course=true",
        "course=%D9%A1",
        "course=%01",
    ],
)
def test_an_unknown_filter_value_is_invalid(query, sessions, teacher_client):
    answer = teacher_client.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == [query.split("=")[0]]


def test_pages(course, teacher_client):
    for _ in range(3):
        make_session(course, open_now=False)
    first = teacher_client.get(f"{PATH}?page_size=2").json()
    assert (first["count"], len(first["results"])) == (3, 2)
    assert first["previous"] is None
    second = teacher_client.get(first["next"]).json()
    assert (second["count"], len(second["results"])) == (3, 1)
    assert second["next"] is None
    seen = [row["id"] for row in first["results"] + second["results"]]
    assert len(set(seen)) == 3
