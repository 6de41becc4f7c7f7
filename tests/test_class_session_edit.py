from datetime import timedelta

import pytest
from django.utils import timezone

from tests.cast import (
    API,
    make_session,
    messages_of,
    session_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db

TIME = "2026-09-01T09:00:00Z"
FIELDS = {
    "title": "Week 4",
    "location": "C1",
    "starts_at": TIME,
    "ends_at": "2026-09-01T11:00:00Z",
    "grace_minutes": 7,
    "early_minutes": 30,
    "allow_late_check_in": False,
    "late_cutoff_minutes": 20,
}


def patch(client, class_session, body):
    return client.patch(session_path(class_session), body)


def test_it_works(class_session, teacher_client):
    before = session_of(teacher_client, class_session)
    answer = patch(teacher_client, class_session, FIELDS)
    assert answer.status_code == 200
    assert answer.json() == {**before, **FIELDS, "revision": 2}
    assert session_of(teacher_client, class_session) == answer.json()
    (message,) = messages_of(teacher_client, class_session, after=1)
    assert message == {
        "type": "session_update",
        "revision": 2,
        "class_session_id": class_session.pk,
        "timestamp": message["timestamp"],
        "data": {"event": "edited", "class_session": answer.json()},
    }


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - {"starts_at", "ends_at"}))
def test_each_field_alone(name, class_session, teacher_client):
    before = session_of(teacher_client, class_session)
    answer = patch(teacher_client, class_session, {name: FIELDS[name]})
    assert answer.json() == {**before, name: FIELDS[name], "revision": 2}


def test_the_cut_off_can_be_taken_away(class_session, teacher_client):
    patch(teacher_client, class_session, {"late_cutoff_minutes": 20})
    answer = patch(teacher_client, class_session, {"late_cutoff_minutes": None})
    assert answer.json()["late_cutoff_minutes"] is None


@pytest.mark.parametrize("step", [None, "close/"])
def test_it_works_in_every_state(step, course, teacher_client):
    session = make_session(course, open_now=step is not None)
    if step:
        teacher_client.post(session_path(session, step))
    before = session_of(teacher_client, session)
    after = patch(teacher_client, session, {"title": "Renamed"}).json()
    assert after == {**before, "title": "Renamed", "revision": before["revision"] + 1}


def test_what_is_so_already_changes_nothing(class_session, teacher_client):
    before = snapshot_of(teacher_client, class_session)
    now_so = before["class_session"]
    for body in [{}, {name: now_so[name] for name in FIELDS}, {"title": " "}]:
        answer = patch(teacher_client, class_session, body)
        assert answer.status_code == 200
        assert answer.json() == now_so
    assert snapshot_of(teacher_client, class_session) == before


def test_the_same_moment_in_another_zone_changes_nothing(class_session, teacher_client):
    patch(teacher_client, class_session, FIELDS)
    answer = patch(
        teacher_client, class_session, {"starts_at": "2026-09-01T11:00:00+02:00"}
    )
    assert answer.json()["revision"] == 2


def test_other_fields_are_ignored(class_session, other_course, teacher_client):
    before = snapshot_of(teacher_client, class_session)
    body = {
        "course_id": other_course.pk,
        "open": False,
        "state": "closed",
        "revision": 0,
        "verification_code": "123456",
        "class_name": "Mine",
    }
    answer = patch(teacher_client, class_session, body)
    assert answer.status_code == 200
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"title": 5}, "title"),
        ({"starts_at": None}, "starts_at"),
        ({"starts_at": "now"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, "starts_at"),
        ({"starts_at": "2100-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2001-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": TIME, "ends_at": TIME}, "ends_at"),
        ({"grace_minutes": "7"}, "grace_minutes"),
        ({"grace_minutes": 7.0}, "grace_minutes"),
        ({"grace_minutes": 21}, "late_cutoff_minutes"),
        ({"late_cutoff_minutes": 4}, "late_cutoff_minutes"),
        ({"late_cutoff_minutes": True}, "late_cutoff_minutes"),
        ({"allow_late_check_in": None}, "allow_late_check_in"),
        # One that is wrong keeps back all that are right.
        ({"title": "Fine", "grace_minutes": -1}, "grace_minutes"),
    ],
)
def test_what_makes_no_sense_is_invalid(body, wrong, class_session, teacher_client):
    patch(teacher_client, class_session, {"late_cutoff_minutes": 20})
    before = snapshot_of(teacher_client, class_session)
    answer = patch(teacher_client, class_session, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == [wrong]
    assert snapshot_of(teacher_client, class_session) == before


def test_records_are_not_judged_again(class_session, student_client, teacher_client):
    code = {"verification_code": class_session.verification_code}
    record = student_client.post(f"{API}/check-ins/code/", code).json()["record"]
    an_hour_ago = timezone.now() - timedelta(hours=1)
    patch(teacher_client, class_session, {"starts_at": an_hour_ago.isoformat()})
    assert record["attendance_status"] == "present"
    assert record in snapshot_of(teacher_client, class_session)["records"]


def test_the_next_check_in_is_judged_by_the_new_times(
    class_session, student_client, teacher_client
):
    an_hour_ago = timezone.now() - timedelta(hours=1, seconds=1)
    patch(teacher_client, class_session, {"starts_at": an_hour_ago.isoformat()})
    code = {"verification_code": class_session.verification_code}
    record = student_client.post(f"{API}/check-ins/code/", code).json()["record"]
    assert (record["attendance_status"], record["late_minutes"]) == ("late", 60)
