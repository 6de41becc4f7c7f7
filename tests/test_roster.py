"""The snapshot: who is on the roster, in which order, with which counts."""

import pytest

from attendance.models import User
from tests.cast import (
    API,
    client_for,
    course_path,
    enroll,
    make_session,
    make_user,
    session_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db


def names(client, class_session):
    records = snapshot_of(client, class_session)["records"]
    return [record["student_name"] for record in records]


def test_it_works(class_session, student, student2, student_client, teacher_client):
    body = {"verification_code": class_session.verification_code}
    record = student_client.post(f"{API}/check-ins/code/", body).json()["record"]
    answer = teacher_client.get(session_path(class_session, "roster/"))
    assert answer.status_code == 200
    assert answer.json() == {
        "type": "snapshot",
        "revision": 2,
        "class_session": session_of(teacher_client, class_session),
        "records": [
            record,
            {
                "id": None,
                "student_id": student2.pk,
                "student_name": "Bela Bartok",
                "class_session_id": class_session.pk,
                "class_name": "Math 101",
                "attendance_status": "unmarked",
                "check_in_time": None,
                "is_late": False,
                "late_minutes": 0,
                "verification_method": None,
                "is_manual_override": False,
                "override_reason": None,
                "notes": "",
                "version": 0,
            },
        ],
    }
    assert answer.json()["class_session"]["counts"] == {
        "enrolled": 2,
        "unmarked": 1,
        "present": 1,
        "late": 0,
        "absent": 0,
        "excused": 0,
    }


def test_the_order_is_by_name_without_case_then_by_id(other_course, other_teacher):
    given = ["émile", "Zoe", "anna", "Bob", "anna", "ANNA", "Émile", "bob", "Straße"]
    given += ["STRASSE", "", "Ångström", "_x", "10", "9", "zoe"]
    people = [make_user(f"u{n:02}", name) for n, name in enumerate(given)]
    enroll(other_course, *reversed(people))
    session = make_session(other_course)
    client = client_for(other_teacher)
    expected = sorted(
        people,
        key=lambda person: ((person.name or person.username).casefold(), person.pk),
    )
    records = snapshot_of(client, session)["records"]
    assert [r["student_id"] for r in records] == [person.pk for person in expected]
    assert [r["student_name"] for r in records] == [
        *["10", "9", "_x", "anna", "anna", "ANNA", "Bob", "bob"],
        *["Straße", "STRASSE", "u10", "Zoe", "zoe", "Ångström", "émile", "Émile"],
    ]
    enrollments = client.get(course_path(other_course, "enrollments/")).json()
    assert [row["student_id"] for row in enrollments["results"]] == [
        person.pk for person in expected
    ]


def test_a_mark_does_not_move_anybody(class_session, student, student2, teacher_client):
    before = names(teacher_client, class_session)
    teacher_client.post(
        session_path(class_session, "override/"),
        {"student_id": student2.pk, "status": "present", "reason": "r"},
    )
    assert names(teacher_client, class_session) == before


@pytest.mark.parametrize("open_now", [True, False])
def test_unless_closed_it_follows_the_enrollments(
    open_now, course, student, outsider, teacher_client
):
    session = make_session(course, open_now=open_now)
    enrollments = course_path(course, "enrollments/")
    teacher_client.post(enrollments, {"student_id": outsider.pk})
    teacher_client.delete(f"{enrollments}{student.pk}/")
    assert names(teacher_client, session) == ["Bela Bartok", "Ida Outside"]


def test_when_closed_it_stays_as_it_was(
    course, class_session, student, outsider, teacher_client
):
    teacher_client.post(session_path(class_session, "close/"))
    before = snapshot_of(teacher_client, class_session)
    enrollments = course_path(course, "enrollments/")
    teacher_client.post(enrollments, {"student_id": outsider.pk})
    teacher_client.delete(f"{enrollments}{student.pk}/")
    assert snapshot_of(teacher_client, class_session) == before


def test_reopened_it_has_who_came_meanwhile(
    course, class_session, outsider, teacher_client
):
    teacher_client.post(session_path(class_session, "close/"))
    enrollments = course_path(course, "enrollments/")
    teacher_client.post(enrollments, {"student_id": outsider.pk})
    body = teacher_client.post(session_path(class_session, "reopen/")).json()
    assert body["counts"]["enrolled"] == 3
    assert body["counts"]["unmarked"] == 1
    assert names(teacher_client, class_session)[-1] == "Ida Outside"


def test_who_left_with_a_record_is_on_it(
    course, class_session, student, student_client, teacher_client
):
    body = {"verification_code": class_session.verification_code}
    student_client.post(f"{API}/check-ins/code/", body)
    teacher_client.delete(course_path(course, f"enrollments/{student.pk}/"))
    assert names(teacher_client, class_session) == ["Ada Lovelace", "Bela Bartok"]
    assert session_of(teacher_client, class_session)["counts"] == {
        "enrolled": 2,
        "unmarked": 1,
        "present": 1,
        "late": 0,
        "absent": 0,
        "excused": 0,
    }


def test_a_deactivated_student_keeps_the_place(class_session, student, teacher_client):
    before = snapshot_of(teacher_client, class_session)
    User.objects.filter(pk=student.pk).update(is_active=False)
    assert snapshot_of(teacher_client, class_session) == before
    closed = teacher_client.post(session_path(class_session, "close/")).json()
    assert closed["counts"]["absent"] == 2


def test_the_counts_are_those_of_the_rows(
    course, class_session, student, outsider, teacher_client
):
    enrollments = course_path(course, "enrollments/")
    steps = [
        lambda: teacher_client.post(enrollments, {"student_id": outsider.pk}),
        lambda: teacher_client.post(
            session_path(class_session, "override/"),
            {"student_id": outsider.pk, "status": "late", "reason": "r"},
        ),
        lambda: teacher_client.delete(f"{enrollments}{outsider.pk}/"),
        lambda: teacher_client.delete(f"{enrollments}{student.pk}/"),
        lambda: teacher_client.post(session_path(class_session, "close/")),
        lambda: teacher_client.post(enrollments, {"student_id": student.pk}),
        lambda: teacher_client.post(session_path(class_session, "reopen/")),
    ]
    for step in steps:
        assert step().status_code < 300
        snapshot = snapshot_of(teacher_client, class_session)
        counts = snapshot["class_session"]["counts"]
        statuses = [record["attendance_status"] for record in snapshot["records"]]
        assert counts == {
            "enrolled": len(statuses),
            **{
                status: statuses.count(status)
                for status in ("unmarked", "present", "late", "absent", "excused")
            },
        }
        # Counted by the database there, and from the rows here.
        assert session_of(teacher_client, class_session)["counts"] == counts


def test_an_empty_class(other_course, other_teacher):
    snapshot = snapshot_of(client_for(other_teacher), make_session(other_course))
    assert snapshot["records"] == []
    assert set(snapshot["class_session"]["counts"].values()) == {0}
