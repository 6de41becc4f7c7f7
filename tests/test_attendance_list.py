from datetime import UTC, datetime, timedelta

import pytest

from tests.cast import (
    API,
    client_for,
    enroll,
    make_course,
    make_session,
    make_students,
    session_path,
)

pytestmark = pytest.mark.django_db
PATH = f"{API}/attendance/"
START = datetime(2026, 9, 1, 9, tzinfo=UTC)


def mark(client, class_session, student, status="present"):
    return client.post(
        session_path(class_session, "override/"),
        {"student_id": student.pk, "status": status, "reason": "seen"},
    ).json()


@pytest.fixture
def records(course, other_course, student, student2, admin):
    """Two in the older session, one in the newer, one in another teacher's course."""
    enroll(other_course, student)
    client = client_for(admin)
    newer = make_session(course, starts_at=START + timedelta(days=1))
    older = make_session(course, starts_at=START)
    elsewhere = make_session(other_course, starts_at=START - timedelta(days=1))
    return {
        "older": mark(client, older, student),
        "older2": mark(client, older, student2, "absent"),
        "newer": mark(client, newer, student, "late"),
        "elsewhere": mark(client, elsewhere, student),
    }


def listed(client, query=""):
    answer = client.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def test_a_student_sees_the_own(records, student_client):
    answer = student_client.get(PATH)
    assert answer.json() == {
        "count": 3,
        "next": None,
        "previous": None,
        "results": [records["newer"], records["older"], records["elsewhere"]],
    }


def test_a_teacher_sees_those_of_the_own_courses(records, teacher, co_teacher):
    for person in (teacher, co_teacher):
        rows = listed(client_for(person))
        assert rows == [records["newer"], records["older"], records["older2"]]


def test_an_administrator_sees_all(records, admin):
    assert len(listed(client_for(admin))) == 4


def test_who_has_none_gets_an_empty_list(records, outsider):
    assert listed(client_for(outsider)) == []


def test_who_teaches_and_takes_courses_sees_both(records, student):
    make_course(student, "Chess")
    assert len(listed(client_for(student))) == 3


def test_it_can_be_filtered(records, course, student, student2, teacher_client):
    older = records["older"]["class_session_id"]
    newest, first, second = (records[n] for n in ("newer", "older", "older2"))
    assert listed(teacher_client, f"?class_session={older}") == [first, second]
    assert listed(teacher_client, f"?student={student.pk}") == [newest, first]
    assert listed(teacher_client, f"?student={student2.pk}") == [second]
    assert len(listed(teacher_client, f"?course={course.pk}")) == 3
    both = f"?class_session={older}&student={student.pk}&course={course.pk}"
    assert listed(teacher_client, both) == [first]


def test_in_a_course_that_one_takes_are_the_own(records, course, student_client):
    assert listed(student_client, f"?course={course.pk}") == [
        records["newer"],
        records["older"],
    ]


def test_what_the_caller_may_not_see_filters_to_nothing(
    records, other_course, outsider, student2, teacher_client, student_client
):
    elsewhere = records["elsewhere"]["class_session_id"]
    assert listed(teacher_client, f"?course={other_course.pk}") == []
    assert listed(teacher_client, f"?class_session={elsewhere}") == []
    assert listed(teacher_client, f"?student={outsider.pk}") == []
    assert listed(student_client, f"?student={student2.pk}") == []
    for unknown in ("0", "999999999", "9" * 18, "9" * 40, "9" * 5000):
        for name in ("course", "class_session", "student"):
            assert listed(teacher_client, f"?{name}={unknown}") == []


@pytest.mark.parametrize("name", ["course", "class_session", "student"])
@pytest.mark.parametrize("value", ["", "me", "1.0", "1e3", "null", "%01", "1%202"])
def test_what_is_no_id_is_invalid(name, value, records, teacher_client):
    answer = teacher_client.get(f"{PATH}?{name}={value}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == [name]


def test_a_record_of_who_has_left_stays(records, course, student, teacher_client):
    teacher_client.delete(f"{API}/courses/{course.pk}/enrollments/{student.pk}/")
    assert len(listed(client_for(student))) == 3
    assert len(listed(teacher_client, f"?student={student.pk}")) == 2


def test_pages(records, teacher_client):
    first = teacher_client.get(f"{PATH}?page_size=2").json()
    assert first["count"] == 3
    assert first["results"] == [records["newer"], records["older"]]
    assert first["previous"] is None
    second = teacher_client.get(first["next"]).json()
    assert second["results"] == [records["older2"]]
    assert second["next"] is None
    assert teacher_client.get(second["previous"]).json() == first


def test_a_page_that_does_not_exist(records, teacher_client):
    for page in ("0", "2", "-1", "x", "9" * 30, "%01"):
        answer = teacher_client.get(f"{PATH}?page={page}")
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


def test_pages_hold_up_to_500(course, teacher_client):
    make_students(course, 501)
    session = make_session(course)
    body = {"operation": "mark_present", "reason": "seen"}
    teacher_client.post(session_path(session, "bulk/"), body)
    assert len(listed(teacher_client)) == 100
    assert len(listed(teacher_client, "?page_size=500")) == 500
    assert len(listed(teacher_client, "?page_size=10000")) == 500
