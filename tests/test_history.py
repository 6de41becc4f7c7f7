import pytest

from tests.cast import (
    API,
    client_for,
    course_path,
    messages_of,
    session_path,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(class_session, student, teacher_client, student_client):
    """What may happen to one record, in order; the record at its end."""

    def teacher_does(tail, **body):
        answer = teacher_client.post(session_path(class_session, tail), body)
        assert answer.status_code == 200
        return answer.json()

    teacher_does("close/")
    code = teacher_does("reopen/")["verification_code"]
    answer = student_client.post(f"{API}/check-ins/code/", {"verification_code": code})
    assert answer.status_code == 201
    teacher_does("override/", student_id=student.pk, status="late", reason="clock")
    teacher_does(
        "bulk/", operation="mark_excused", reason="trip", student_ids=[student.pk]
    )
    # Changes nothing, so it is no part of the history.
    teacher_does("bulk/", operation="mark_excused", reason="again")
    return answer.json()["record"]


def history_path(record):
    return f"{API}/attendance/{record['id']}/history/"


def test_it_works(story, class_session, student, teacher, teacher_client):
    answer = teacher_client.get(history_path(story))
    assert answer.status_code == 200
    times = {
        message["revision"]: message["timestamp"]
        for message in messages_of(teacher_client, class_session)
    }
    by_teacher = {"id": teacher.pk, "name": "Tilda Owner"}
    assert answer.json() == {
        "count": 4,
        "next": None,
        "previous": None,
        "results": [
            {
                "revision": 2,
                "timestamp": times[2],
                "actor": by_teacher,
                "old_status": "unmarked",
                "new_status": "absent",
                "reason": "closed",
                "verification_method": "auto_close",
            },
            {
                "revision": 5,
                "timestamp": times[5],
                "actor": {"id": student.pk, "name": "Ada Lovelace"},
                "old_status": "absent",
                "new_status": "present",
                "reason": None,
                "verification_method": "verification_code",
            },
            {
                "revision": 6,
                "timestamp": times[6],
                "actor": by_teacher,
                "old_status": "present",
                "new_status": "late",
                "reason": "clock",
                "verification_method": "teacher_override",
            },
            {
                "revision": 7,
                "timestamp": times[7],
                "actor": by_teacher,
                "old_status": "late",
                "new_status": "excused",
                "reason": "trip",
                "verification_method": "teacher_override",
            },
        ],
    }


def test_it_has_one_entry_per_version(story, teacher_client):
    (record,) = [
        row
        for row in teacher_client.get(f"{API}/attendance/").json()["results"]
        if row["id"] == story["id"]
    ]
    history = teacher_client.get(history_path(story)).json()
    assert record["version"] == history["count"] == 4


def test_the_student_concerned_sees_it_too(
    story, course, student, student_client, teacher_client
):
    expected = teacher_client.get(history_path(story)).json()
    assert student_client.get(history_path(story)).json() == expected
    # And goes on seeing it after leaving the course.
    teacher_client.delete(course_path(course, f"enrollments/{student.pk}/"))
    assert student_client.get(history_path(story)).json() == expected


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        ("co_teacher", 200, None),
        ("admin", 200, None),
        ("student2", 403, "permission_denied"),
        ("outsider", 404, "not_found"),
        ("other_teacher", 404, "not_found"),
    ],
)
def test_who_else_may_see_it(who, status, code, story, request):
    client = client_for(request.getfixturevalue(who))
    answer = client.get(history_path(story))
    assert answer.status_code == status
    assert answer.json().get("code") == code


@pytest.mark.parametrize("record_id", ["0", "999999999", "9" * 18, "9" * 30, "-1"])
def test_an_unknown_record(record_id, teacher_client):
    answer = teacher_client.get(f"{API}/attendance/{record_id}/history/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_other_students_changes_are_not_in_it(
    class_session, student, student2, teacher_client
):
    records = {}
    for person, reason in [(student, "one"), (student2, "two")]:
        body = {"student_id": person.pk, "status": "absent", "reason": reason}
        path = session_path(class_session, "override/")
        records[person.pk] = teacher_client.post(path, body).json()
    history = teacher_client.get(history_path(records[student2.pk])).json()["results"]
    assert [change["reason"] for change in history] == ["two"]
