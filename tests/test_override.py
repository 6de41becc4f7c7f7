from datetime import timedelta

import pytest
from django.utils import timezone

from attendance.models import User
from tests.cast import (
    API,
    client_for,
    course_path,
    make_session,
    messages_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db


def override(client, class_session, student_id, status="excused", **body):
    body = {"student_id": student_id, "status": status, "reason": "ill", **body}
    return client.post(session_path(class_session, "override/"), body)


def check_in(client, class_session):
    body = {"verification_code": class_session.verification_code}
    return client.post(f"{API}/check-ins/code/", body).json()["record"]


def test_it_works(class_session, student, teacher, teacher_client):
    answer = override(
        teacher_client, class_session, student.pk, "excused", notes="doctor's note"
    )
    assert answer.status_code == 200
    record = answer.json()
    assert record == {
        "id": record["id"],
        "student_id": student.pk,
        "student_name": "Ada Lovelace",
        "class_session_id": class_session.pk,
        "class_name": "Math 101",
        "attendance_status": "excused",
        "check_in_time": None,
        "is_late": False,
        "late_minutes": 0,
        "verification_method": "teacher_override",
        "is_manual_override": True,
        "override_reason": "ill",
        "notes": "doctor's note",
        "version": 1,
    }
    assert snapshot_of(teacher_client, class_session)["records"][0] == record
    (message,) = messages_of(teacher_client, class_session, after=1)
    assert message == {
        "type": "attendance_update",
        "revision": 2,
        "class_session_id": class_session.pk,
        "timestamp": message["timestamp"],
        "data": {
            **record,
            "timestamp": message["timestamp"],
            "old_status": "unmarked",
            "event": "override",
            "new_status": "excused",
            "reason": "ill",
            "updated_by": {"id": teacher.pk, "name": "Tilda Owner"},
        },
    }


@pytest.mark.parametrize("status", ["present", "late", "absent", "excused"])
def test_every_status(status, class_session, student, teacher_client):
    record = override(teacher_client, class_session, student.pk, status).json()
    assert record["attendance_status"] == status
    assert record["is_late"] is (status == "late")
    assert record["is_manual_override"] is True


@pytest.mark.parametrize("state", ["scheduled", "open", "closed"])
def test_in_every_state(state, course, student, teacher_client):
    session = make_session(course, open_now=state != "scheduled")
    if state == "closed":
        teacher_client.post(session_path(session, "close/"))
    before = snapshot_of(teacher_client, session)["revision"]
    answer = override(teacher_client, session, student.pk)
    assert answer.status_code == 200
    messages = messages_of(teacher_client, session, after=before)
    assert [m["revision"] for m in messages] == [before + 1]


def test_the_check_in_time_stays(
    class_session, student, student_client, teacher_client
):
    checked_in = check_in(student_client, class_session)
    record = override(teacher_client, class_session, student.pk, "absent").json()
    assert record["check_in_time"] == checked_in["check_in_time"]
    assert record["id"] == checked_in["id"]
    assert record["version"] == 2
    message = messages_of(teacher_client, class_session)[-1]
    assert message["data"]["old_status"] == "present"
    assert message["data"]["new_status"] == "absent"


def test_minutes_of_late_count_from_the_check_in(
    class_session, student, student_client, teacher_client
):
    check_in(student_client, class_session)
    starts_at = timezone.now() - timedelta(minutes=20)
    teacher_client.patch(session_path(class_session), {"starts_at": starts_at})
    record = override(teacher_client, class_session, student.pk, "late").json()
    # A moment less than 20 minutes: the check-in came before the clock was read.
    assert record["late_minutes"] == 19
    assert record["is_late"] is True


def test_minutes_of_late_without_a_check_in_count_from_the_override(
    course, student, teacher_client
):
    starts_at = timezone.now() - timedelta(minutes=20, seconds=30)
    session = make_session(course, starts_at=starts_at)
    record = override(teacher_client, session, student.pk, "late").json()
    assert record["late_minutes"] == 20
    assert record["check_in_time"] is None


def test_minutes_of_late_are_never_below_nothing(course, student, teacher_client):
    session = make_session(course, starts_at=timezone.now() + timedelta(hours=1))
    record = override(teacher_client, session, student.pk, "late").json()
    assert (record["is_late"], record["late_minutes"]) == (True, 0)
    record = override(teacher_client, session, student.pk, "present").json()
    assert (record["is_late"], record["late_minutes"]) == (False, 0)


def test_the_same_again_changes_nothing(class_session, student, teacher_client):
    first = override(teacher_client, class_session, student.pk, notes="n").json()
    before = snapshot_of(teacher_client, class_session)
    for again in (
        override(teacher_client, class_session, student.pk, notes="n"),
        override(teacher_client, class_session, student.pk),
        override(teacher_client, class_session, student.pk, version=1),
    ):
        assert again.status_code == 200
        assert again.json() == first
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize(
    "other", [{"status": "absent"}, {"reason": "seen"}, {"notes": "m"}, {"notes": ""}]
)
def test_anything_else_is_a_change(other, class_session, student, teacher_client):
    override(teacher_client, class_session, student.pk, notes="n")
    answer = override(teacher_client, class_session, student.pk, **other)
    assert answer.json()["version"] == 2
    assert len(messages_of(teacher_client, class_session, after=1)) == 2


def test_a_mark_that_was_not_set_by_hand_becomes_so(
    class_session, student, student_client, teacher_client
):
    check_in(student_client, class_session)
    record = override(teacher_client, class_session, student.pk, "present").json()
    assert record["is_manual_override"] is True
    assert record["version"] == 2


def test_notes_stay_unless_given(class_session, student, teacher_client):
    override(teacher_client, class_session, student.pk, notes="keep")
    record = override(teacher_client, class_session, student.pk, "absent").json()
    assert record["notes"] == "keep"


def test_one_roster_row_changes_and_no_other(
    class_session, student, student2, teacher_client
):
    before = snapshot_of(teacher_client, class_session)["records"]
    record = override(teacher_client, class_session, student.pk).json()
    after = snapshot_of(teacher_client, class_session)
    assert after["records"] == [record, before[1]]
    assert after["class_session"]["counts"] == {
        "enrolled": 2,
        "unmarked": 1,
        "present": 0,
        "late": 0,
        "absent": 0,
        "excused": 1,
    }


# Versions -------------------------------------------------------------------------


def test_the_right_version_is_accepted(class_session, student, teacher_client):
    first = override(teacher_client, class_session, student.pk, version=0)
    assert first.status_code == 200
    second = override(teacher_client, class_session, student.pk, "absent", version=1)
    assert second.status_code == 200
    assert second.json()["version"] == 2


@pytest.mark.parametrize("version", [1, 2, 10**30])
def test_a_version_of_who_is_unmarked(version, class_session, student, teacher_client):
    before = snapshot_of(teacher_client, class_session)
    answer = override(teacher_client, class_session, student.pk, version=version)
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "version_conflict",
        "detail": "The record has changed since you saw it. Look at it again.",
        "record": before["records"][0],
    }
    assert answer.json()["record"]["attendance_status"] == "unmarked"
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize("version", [0, 2])
def test_a_version_that_is_not_the_current_one(
    version, class_session, student, student_client, teacher_client
):
    record = check_in(student_client, class_session)
    before = snapshot_of(teacher_client, class_session)
    answer = override(teacher_client, class_session, student.pk, version=version)
    assert answer.status_code == 409
    assert answer.json()["code"] == "version_conflict"
    assert answer.json()["record"] == record
    assert snapshot_of(teacher_client, class_session) == before


# Who is on the roster -------------------------------------------------------------


@pytest.mark.parametrize("student_id", [0, -1, 999_999_999, 2**63, 10**30])
def test_nobody_with_that_id(student_id, class_session, teacher_client):
    answer = override(teacher_client, class_session, student_id)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_who_is_not_on_the_roster(class_session, outsider, teacher, teacher_client):
    before = snapshot_of(teacher_client, class_session)
    for person in (outsider, teacher):
        answer = override(teacher_client, class_session, person.pk)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert snapshot_of(teacher_client, class_session) == before


def test_who_joined_after_closing_is_not_on_the_roster(
    course, class_session, outsider, teacher_client
):
    teacher_client.post(session_path(class_session, "close/"))
    teacher_client.post(
        course_path(course, "enrollments/"), {"student_id": outsider.pk}
    )
    assert override(teacher_client, class_session, outsider.pk).status_code == 404


def test_who_left_with_a_record_is_still_on_it(
    course, class_session, student, student_client, teacher_client
):
    check_in(student_client, class_session)
    teacher_client.delete(course_path(course, f"enrollments/{student.pk}/"))
    assert override(teacher_client, class_session, student.pk).status_code == 200


def test_a_deactivated_student_is_still_on_it(class_session, student, teacher_client):
    User.objects.filter(pk=student.pk).update(is_active=False)
    assert override(teacher_client, class_session, student.pk).status_code == 200


# Bad input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"student_id": None}, "student_id"),
        ({"student_id": "1"}, "student_id"),
        ({"student_id": True}, "student_id"),
        ({"student_id": 1.0}, "student_id"),
        ({"status": None}, "status"),
        ({"status": ""}, "status"),
        ({"status": "unmarked"}, "status"),
        ({"status": "PRESENT"}, "status"),
        ({"status": ["present"]}, "status"),
        ({"status": 1}, "status"),
        ({"reason": None}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": 5}, "reason"),
        ({"reason": True}, "reason"),
        ({"reason": ["ill"]}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\0b"}, "reason"),
        ({"notes": 5}, "notes"),
        ({"notes": "x" * 2001}, "notes"),
        ({"notes": "a\0b"}, "notes"),
        ({"version": -1}, "version"),
        ({"version": "0"}, "version"),
        ({"version": 0.0}, "version"),
        ({"version": False}, "version"),
    ],
)
def test_what_makes_no_sense_is_invalid(
    body, wrong, class_session, student, teacher_client
):
    before = snapshot_of(teacher_client, class_session)
    answer = teacher_client.post(
        session_path(class_session, "override/"),
        {"student_id": student.pk, "status": "excused", "reason": "ill", **body},
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == [wrong]
    assert snapshot_of(teacher_client, class_session) == before


def test_what_is_needed(class_session, teacher_client):
    answer = teacher_client.post(session_path(class_session, "override/"), {})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"student_id", "status", "reason"}


@pytest.mark.parametrize("reason", ["x", "x" * 500, "𝄞" * 500, "Ärztin\n2. Zeile"])
def test_reasons_of_1_to_500_characters(reason, class_session, student, teacher_client):
    answer = override(teacher_client, class_session, student.pk, reason=reason)
    assert answer.status_code == 200
    assert answer.json()["override_reason"] == reason


def test_the_actor_is_who_asks(class_session, student, teacher, co_teacher):
    override(
        client_for(co_teacher),
        class_session,
        student.pk,
        updated_by={"id": teacher.pk},
        actor=teacher.pk,
        user_id=teacher.pk,
    )
    message = messages_of(client_for(teacher), class_session)[-1]
    assert message["data"]["updated_by"] == {
        "id": co_teacher.pk,
        "name": "Conrad Helper",
    }
