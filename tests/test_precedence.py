"""Administrator > teacher > student > automatic: the weaker never overwrites."""

from datetime import timedelta

import pytest
from django.utils import timezone

from attendance.models import OverruledMark
from tests.cast import (
    API,
    assert_refused,
    client_for,
    make_session,
    messages_of,
    session_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(admin):
    return client_for(admin)


def mark(client, class_session, student, status, reason="seen", **body):
    return client.post(
        session_path(class_session, "override/"),
        {"student_id": student.pk, "status": status, "reason": reason, **body},
    )


def check_in(client, class_session):
    body = {"verification_code": class_session.verification_code}
    return client.post(f"{API}/check-ins/code/", body)


def conflicts_of(client, class_session):
    answer = client.get(session_path(class_session, "conflicts/"))
    assert answer.status_code == 200
    assert answer.json()["count"] == len(answer.json()["results"])
    return answer.json()["results"]


def status_of(client, class_session, student):
    records = snapshot_of(client, class_session)["records"]
    (record,) = [r for r in records if r["student_id"] == student.pk]
    return record["attendance_status"]


def test_it_works(class_session, student, student_client, teacher_client):
    """A check-in after the teacher's mark: the mark stands, both sides are shown."""
    marked = mark(teacher_client, class_session, student, "absent", "empty seat").json()
    before = snapshot_of(teacher_client, class_session)
    answer = check_in(student_client, class_session)
    assert answer.status_code == 200
    assert answer.json()["already_checked_in"] is True
    assert answer.json()["record"] == marked
    # Neither a change nor a message: the contract has the mark stand.
    assert snapshot_of(teacher_client, class_session) == before

    (conflict,) = conflicts_of(teacher_client, class_session)
    assert conflict["overruled"].pop("timestamp") > "2026"
    assert conflict == {
        "student_id": student.pk,
        "version": 1,
        "standing": {
            "attendance_status": "absent",
            "source": "teacher",
            "reason": "empty seat",
        },
        "overruled": {
            "attendance_status": "present",
            "source": "student",
            "verification_method": "verification_code",
            "reason": None,
            "actor": {"id": student.pk, "name": "Ada Lovelace"},
        },
    }


@pytest.mark.parametrize(
    ("standing", "minutes_ago", "in_conflict"),
    [
        ("absent", 0, True),
        ("excused", 0, True),
        ("late", 0, True),
        ("present", 0, False),
        ("absent", 10, True),
        ("excused", 10, True),
        # Late, as the teacher says; and who was seen on time may scan later.
        ("late", 10, False),
        ("present", 10, False),
    ],
)
def test_which_check_ins_speak_against_which_marks(
    standing,
    minutes_ago,
    in_conflict,
    course,
    student,
    student_client,
    teacher_client,
):
    session = make_session(
        course, starts_at=timezone.now() - timedelta(minutes=minutes_ago)
    )
    mark(teacher_client, session, student, standing)
    assert check_in(student_client, session).status_code == 200
    assert len(conflicts_of(teacher_client, session)) == in_conflict
    assert status_of(teacher_client, session, student) == standing


def test_a_check_in_that_would_be_refused_says_nothing(
    course, student, student_client, teacher_client
):
    session = make_session(course, starts_at=timezone.now() + timedelta(hours=3))
    mark(teacher_client, session, student, "absent")
    assert check_in(student_client, session).status_code == 200
    assert conflicts_of(teacher_client, session) == []


def test_saying_it_again_is_nothing_new(
    class_session, student, student_client, teacher_client
):
    mark(teacher_client, class_session, student, "absent")
    for _ in range(3):
        check_in(student_client, class_session)
    assert OverruledMark.objects.count() == 1


def test_a_later_mark_has_the_last_word(
    class_session, student, student_client, teacher_client
):
    mark(teacher_client, class_session, student, "absent")
    check_in(student_client, class_session)
    mark(teacher_client, class_session, student, "late", "came at half past")
    assert conflicts_of(teacher_client, class_session) == []


def test_a_student_replaces_the_automatic_mark(
    class_session, student, student_client, teacher_client
):
    teacher_client.post(session_path(class_session, "close/"))
    class_session.verification_code = teacher_client.post(
        session_path(class_session, "reopen/")
    ).json()["verification_code"]
    assert check_in(student_client, class_session).status_code == 201
    assert conflicts_of(teacher_client, class_session) == []


def test_a_teacher_replaces_a_check_in(
    class_session, student, student_client, teacher_client
):
    check_in(student_client, class_session)
    mark(teacher_client, class_session, student, "absent", "not in the room")
    assert status_of(teacher_client, class_session, student) == "absent"
    assert conflicts_of(teacher_client, class_session) == []


def test_a_colleague_replaces_a_teachers_mark(
    class_session, student, co_teacher, teacher_client
):
    mark(teacher_client, class_session, student, "absent")
    mark(client_for(co_teacher), class_session, student, "late")
    assert status_of(teacher_client, class_session, student) == "late"


def test_an_administrator_replaces_a_teachers_mark(
    class_session, student, admin_client, teacher_client
):
    mark(teacher_client, class_session, student, "absent")
    assert mark(admin_client, class_session, student, "late").status_code == 200
    assert status_of(teacher_client, class_session, student) == "late"
    assert conflicts_of(teacher_client, class_session) == []


# A teacher after an administrator ---------------------------------------------------


def test_a_teachers_override_of_an_administrators_mark(
    class_session, student, admin_client, teacher, teacher_client
):
    marked = mark(admin_client, class_session, student, "excused", "certificate").json()
    before = snapshot_of(teacher_client, class_session)
    answer = mark(teacher_client, class_session, student, "absent", "empty seat")
    assert answer.status_code == 409
    assert answer.json().pop("detail")
    assert answer.json()["code"] == "overruled"
    assert answer.json()["record"] == marked
    assert snapshot_of(teacher_client, class_session) == before

    (conflict,) = conflicts_of(admin_client, class_session)
    assert conflict["standing"]["source"] == "administrator"
    assert conflict["overruled"] == {
        "attendance_status": "absent",
        "source": "teacher",
        "verification_method": "teacher_override",
        "reason": "empty seat",
        "actor": {"id": teacher.pk, "name": "Tilda Owner"},
        "timestamp": conflict["overruled"]["timestamp"],
    }


def test_the_same_status_is_overruled_but_no_conflict(
    class_session, student, admin_client, teacher_client
):
    mark(admin_client, class_session, student, "excused", "certificate")
    answer = mark(teacher_client, class_session, student, "excused", "he told me")
    assert (answer.status_code, answer.json()["code"]) == (409, "overruled")
    assert conflicts_of(teacher_client, class_session) == []


def test_a_teachers_bulk_leaves_an_administrators_mark(
    class_session, student, student2, admin_client, teacher_client
):
    marked = mark(admin_client, class_session, student, "excused").json()
    answer = teacher_client.post(
        session_path(class_session, "bulk/"),
        {"operation": "mark_absent", "reason": "empty room"},
    ).json()
    assert [r["student_id"] for r in answer["records"]] == [student2.pk]
    assert (answer["processed_count"], answer["failed_count"]) == (1, 1)
    (failed,) = answer["failed_students"]
    assert failed.pop("detail")
    assert failed == {
        "student_id": student.pk,
        "code": "overruled",
        "record": marked,
    }
    (conflict,) = conflicts_of(teacher_client, class_session)
    assert conflict["student_id"] == student.pk
    (message,) = messages_of(teacher_client, class_session, after=2)
    assert message["data"]["failed_count"] == 1


def test_a_bulk_that_changes_nobody_is_no_message(
    class_session, student, admin_client, teacher_client
):
    mark(admin_client, class_session, student, "excused")
    revision = session_of(teacher_client, class_session)["revision"]
    answer = teacher_client.post(
        session_path(class_session, "bulk/"),
        {"operation": "mark_absent", "reason": "x", "student_ids": [student.pk]},
    )
    assert "Operation-Id" not in answer
    assert answer.json()["failed_count"] == 1
    assert session_of(teacher_client, class_session)["revision"] == revision


def test_the_strongest_says_it(
    class_session, student, student_client, admin_client, teacher_client
):
    """Of several things said against a mark, the strongest source's is shown."""
    mark(admin_client, class_session, student, "excused")
    mark(teacher_client, class_session, student, "absent")
    check_in(student_client, class_session)
    (conflict,) = conflicts_of(admin_client, class_session)
    assert conflict["overruled"]["source"] == "teacher"


def test_a_closed_session_is_closed_to_check_ins_all_the_same(
    class_session, student, student_client, teacher_client
):
    mark(teacher_client, class_session, student, "absent")
    teacher_client.post(session_path(class_session, "close/"))
    assert_refused(check_in(student_client, class_session), 404, "invalid_code")
    assert conflicts_of(teacher_client, class_session) == []
