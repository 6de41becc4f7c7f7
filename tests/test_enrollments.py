from datetime import datetime

import pytest
from django.utils import timezone

from attendance.models import Enrollment, User
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


@pytest.fixture
def path(course):
    return course_path(course, "enrollments/")


def ids(client, path):
    return [row["student_id"] for row in client.get(path).json()["results"]]


def unmarked(class_session, student):
    return {
        "id": None,
        "student_id": student.pk,
        "student_name": student.name,
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
    }


def test_it_works(path, outsider, teacher_client):
    before = timezone.now()
    answer = teacher_client.post(path, {"student_id": outsider.pk})
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "student_id": outsider.pk,
        "student_name": "Ida Outside",
        "enrolled_at": body["enrolled_at"],
    }
    assert before <= datetime.fromisoformat(body["enrolled_at"]) <= timezone.now()
    assert body in teacher_client.get(path).json()["results"]
    assert client_for(outsider).get(f"{API}/courses/").json()["count"] == 1


def test_the_list(path, student, student2, teacher_client):
    body = teacher_client.get(path).json()
    assert (body["count"], body["next"], body["previous"]) == (2, None, None)
    assert [(r["student_id"], r["student_name"]) for r in body["results"]] == [
        (student.pk, "Ada Lovelace"),
        (student2.pk, "Bela Bartok"),
    ]


def test_again_changes_nothing(course, class_session, path, outsider, teacher_client):
    first = teacher_client.post(path, {"student_id": outsider.pk})
    before = snapshot_of(teacher_client, class_session)
    again = teacher_client.post(path, {"student_id": outsider.pk})
    assert again.status_code == 200
    assert again.json() == first.json()
    assert snapshot_of(teacher_client, class_session) == before


def test_again_of_a_deactivated_student_changes_nothing(path, student, teacher_client):
    before = teacher_client.get(path).json()
    User.objects.filter(pk=student.pk).update(is_active=False)
    assert teacher_client.post(path, {"student_id": student.pk}).status_code == 200
    assert teacher_client.get(path).json() == before


@pytest.mark.parametrize("student_id", [0, -1, 999_999_999, 2**63, 10**30])
def test_an_unknown_id_is_invalid(student_id, path, teacher_client):
    answer = teacher_client.post(path, {"student_id": student_id})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "invalid",
        "detail": "There is no student with this id.",
        "errors": {"student_id": ["There is no student with this id."]},
    }


@pytest.mark.parametrize("value", [None, "1", True, 1.0, [1], {"id": 1}])
def test_what_is_no_id_is_invalid(value, path, teacher_client):
    before = teacher_client.get(path).json()
    answer = teacher_client.post(path, {"student_id": value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["student_id"]
    assert teacher_client.get(path).json() == before


def test_ending_it(path, student, student2, teacher_client):
    answer = teacher_client.delete(f"{path}{student.pk}/")
    assert answer.status_code == 204
    assert answer.content == b""
    assert ids(teacher_client, path) == [student2.pk]
    assert client_for(student).get(f"{API}/courses/").json()["count"] == 0
    # Ended, not deleted.
    assert Enrollment.objects.get(student=student).ended_at is not None


def test_ending_it_keeps_the_records(
    path, class_session, student, student_client, teacher_client
):
    body = {"verification_code": class_session.verification_code}
    record = student_client.post(f"{API}/check-ins/code/", body).json()["record"]
    teacher_client.delete(f"{path}{student.pk}/")
    for client in (student_client, teacher_client):
        assert client.get(f"{API}/attendance/").json()["results"] == [record]


def test_ending_it_twice(path, student, teacher_client):
    teacher_client.delete(f"{path}{student.pk}/")
    answer = teacher_client.delete(f"{path}{student.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("student_id", ["0", "999999999", "9" * 18, "9" * 30])
def test_ending_what_never_was(student_id, path, teacher_client):
    answer = teacher_client.delete(f"{path}{student_id}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_coming_back(path, student, teacher_client):
    teacher_client.delete(f"{path}{student.pk}/")
    answer = teacher_client.post(path, {"student_id": student.pk})
    assert answer.status_code == 201
    assert student.pk in ids(teacher_client, path)


# Messages -------------------------------------------------------------------------


def test_who_comes_while_a_session_is_open(
    path, class_session, outsider, teacher_client
):
    teacher_client.post(path, {"student_id": outsider.pk})
    (message,) = messages_of(teacher_client, class_session, after=1)
    record = unmarked(class_session, outsider)
    assert message == {
        "type": "roster_update",
        "revision": 2,
        "class_session_id": class_session.pk,
        "timestamp": message["timestamp"],
        "data": {"event": "enrolled", "record": record},
    }
    assert record in snapshot_of(teacher_client, class_session)["records"]


def test_who_goes_while_a_session_is_open(path, class_session, student, teacher_client):
    teacher_client.delete(f"{path}{student.pk}/")
    (message,) = messages_of(teacher_client, class_session, after=1)
    record = unmarked(class_session, student)
    assert message["type"] == "roster_update"
    assert message["data"] == {"event": "unenrolled", "record": record}
    assert record not in snapshot_of(teacher_client, class_session)["records"]


def test_who_has_a_record_stays_on_the_roster_without_a_message(
    path, class_session, student, student_client, teacher_client
):
    body = {"verification_code": class_session.verification_code}
    student_client.post(f"{API}/check-ins/code/", body)
    before = snapshot_of(teacher_client, class_session)
    teacher_client.delete(f"{path}{student.pk}/")
    assert snapshot_of(teacher_client, class_session) == before
    teacher_client.post(path, {"student_id": student.pk})
    assert snapshot_of(teacher_client, class_session) == before


def test_planned_and_closed_sessions_get_no_message(
    path, course, outsider, teacher_client
):
    planned = make_session(course, open_now=False)
    closed = make_session(course)
    teacher_client.post(session_path(closed, "close/"))
    revisions = [snapshot_of(teacher_client, s)["revision"] for s in (planned, closed)]
    teacher_client.post(path, {"student_id": outsider.pk})
    teacher_client.delete(f"{path}{outsider.pk}/")
    assert revisions == [
        snapshot_of(teacher_client, s)["revision"] for s in (planned, closed)
    ]


def test_every_open_session_gets_its_own(path, course, outsider, teacher_client):
    sessions = [make_session(course) for _ in range(3)]
    teacher_client.post(path, {"student_id": outsider.pk})
    for session in sessions:
        (message,) = messages_of(teacher_client, session, after=1)
        assert message["data"]["record"]["class_session_id"] == session.pk


def test_other_courses_sessions_get_none(path, other_course, outsider, teacher_client):
    elsewhere = make_session(other_course)
    teacher_client.post(path, {"student_id": outsider.pk})
    elsewhere.refresh_from_db()
    assert elsewhere.revision == 1
