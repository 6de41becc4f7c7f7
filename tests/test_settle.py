"""Settling a conflict: one side is taken, and the history says who took it."""

import pytest

from tests.cast import (
    API,
    assert_refused,
    client_for,
    messages_of,
    session_of,
    session_path,
    snapshot_of,
)
from tests.test_precedence import check_in, conflicts_of, mark

pytestmark = pytest.mark.django_db


@pytest.fixture
def contested(class_session, student, student_client, teacher_client):
    """The teacher has marked the student absent; the student has checked in since."""
    record = mark(teacher_client, class_session, student, "absent", "empty seat").json()
    check_in(student_client, class_session)
    return record


@pytest.fixture
def settle(class_session, student, teacher_client):
    def settle(client=teacher_client, **body):
        path = session_path(class_session, "settle/")
        return client.post(path, {"student_id": student.pk, **body})

    return settle


def history_of(client, record):
    return client.get(f"{API}/attendance/{record['id']}/history/").json()["results"]


def test_it_works(contested, settle, class_session, teacher_client):
    """Accepting takes the check-in, with its time, as the teacher's own mark."""
    (conflict,) = conflicts_of(teacher_client, class_session)
    answer = settle(accept=True, version=1)
    assert answer.status_code == 200
    assert answer.json() == {
        **contested,
        "attendance_status": "present",
        "check_in_time": conflict["overruled"]["timestamp"],
        "override_reason": "Check-in accepted.",
        "version": 2,
    }
    (message,) = messages_of(teacher_client, class_session, after=2)
    assert message["data"]["event"] == "override"
    assert message["data"]["new_status"] == "present"
    assert conflicts_of(teacher_client, class_session) == []
    last = history_of(teacher_client, contested)[-1]
    assert (last["old_status"], last["new_status"], last["reason"]) == (
        "absent",
        "present",
        "Check-in accepted.",
    )


def test_of_two_check_ins_the_first_one_counts(
    class_session, settle, student, student_client, teacher_client
):
    first = check_in(student_client, class_session).json()["record"]
    mark(teacher_client, class_session, student, "absent", "wrong row")
    check_in(student_client, class_session)
    accepted = settle(accept=True).json()
    assert accepted["attendance_status"] == "present"
    assert accepted["check_in_time"] == first["check_in_time"]


def test_keeping_the_mark(contested, settle, class_session, teacher, teacher_client):
    answer = settle(accept=False)
    assert answer.json() == {**contested, "version": 2}
    assert conflicts_of(teacher_client, class_session) == []
    last = history_of(teacher_client, contested)[-1]
    assert (last["old_status"], last["new_status"], last["reason"]) == (
        "absent",
        "absent",
        "Kept as it was.",
    )
    assert last["actor"] == {"id": teacher.pk, "name": "Tilda Owner"}


def test_with_a_reason_of_ones_own(contested, settle, teacher_client):
    answer = settle(accept=True, reason="sat in the back")
    assert answer.json()["override_reason"] == "sat in the back"


def test_a_settlement_can_be_undone(contested, settle, class_session, teacher_client):
    operation_id = settle(accept=True)["Operation-Id"]
    path = session_path(class_session, "undo/")
    answer = teacher_client.post(path, {"operation_id": operation_id}).json()
    assert answer["restored"] == [{**contested, "version": 3}]


def test_whoever_insists_after_that_is_heard_again(
    contested, settle, class_session, student_client, teacher_client
):
    settle(accept=False)
    check_in(student_client, class_session)
    (conflict,) = conflicts_of(teacher_client, class_session)
    assert conflict["version"] == 2


# Between an administrator and a teacher ---------------------------------------------


@pytest.fixture
def admin_client(admin):
    return client_for(admin)


@pytest.fixture
def above(class_session, student, admin_client, teacher_client):
    """An administrator's mark, against which a teacher has said something."""
    record = mark(admin_client, class_session, student, "excused", "ill").json()
    mark(teacher_client, class_session, student, "absent", "no certificate")
    return record


def test_an_administrator_accepts(above, settle, class_session, admin_client):
    answer = settle(admin_client, accept=True)
    assert answer.json()["attendance_status"] == "absent"
    assert answer.json()["override_reason"] == "no certificate"
    assert conflicts_of(admin_client, class_session) == []


def test_a_teacher_cannot_accept_against_an_administrator(
    above, settle, class_session, teacher_client
):
    answer = settle(accept=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "overruled")
    assert answer.json()["record"] == above
    assert len(conflicts_of(teacher_client, class_session)) == 1


def test_a_teacher_can_take_it_back(above, settle, class_session, teacher_client):
    revision = session_of(teacher_client, class_session)["revision"]
    answer = settle(accept=False)
    assert answer.status_code == 200
    assert answer.json() == above
    assert conflicts_of(teacher_client, class_session) == []
    assert session_of(teacher_client, class_session)["revision"] == revision


# Refusals -------------------------------------------------------------------------


def test_without_a_conflict(class_session, student, settle, teacher_client):
    assert_refused(settle(accept=True), 409, "no_conflict")
    mark(teacher_client, class_session, student, "absent")
    answer = settle(accept=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_conflict")


def test_twice(contested, settle, class_session, teacher_client):
    settle(accept=True)
    before = snapshot_of(teacher_client, class_session)
    assert settle(accept=False).json()["code"] == "no_conflict"
    assert snapshot_of(teacher_client, class_session) == before


def test_a_version_that_is_no_longer(contested, settle, class_session, teacher_client):
    answer = settle(accept=True, version=0)
    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert answer.json()["record"] == contested
    assert len(conflicts_of(teacher_client, class_session)) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "accept"),
        ({"accept": "yes"}, "accept"),
        ({"accept": None}, "accept"),
        ({"accept": True, "student_id": "x"}, "student_id"),
        ({"accept": True, "reason": ""}, "reason"),
        ({"accept": True, "version": -1}, "version"),
    ],
)
def test_bad_input(body, field, contested, settle):
    answer = settle(**body)
    assert list(assert_refused(answer, 400, "invalid")["errors"]) == [field]


def test_an_unknown_student(contested, settle):
    assert_refused(settle(accept=True, student_id=999_999_999), 409, "no_conflict")
