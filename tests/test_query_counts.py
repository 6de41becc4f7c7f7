"""
The number of queries of each operation: stated, and the same for 3 and 60 students.

Counted with everything a request does: reading the token is one of them, and each
transaction adds two (a savepoint and its release, inside the test's transaction).
"""

import pytest

from tests.cast import (
    API,
    client_for,
    course_path,
    make_course,
    make_session,
    make_students,
    qr_token_of,
    session_path,
)

pytestmark = pytest.mark.django_db

SIZES = pytest.mark.parametrize("size", [3, 60])


@pytest.fixture
def school(teacher, size):
    """A course of `size` students with an open session: one present, the rest not."""
    course = make_course(teacher, "History")
    students = make_students(course, size)
    class_session = make_session(course)
    client = client_for(teacher)
    body = {"student_id": students[0].pk, "status": "present", "reason": "seen"}
    client.post(session_path(class_session, "override/"), body)
    return course, class_session, students, client


@pytest.fixture
def bulk(school):
    _, class_session, _, client = school

    def bulk(operation, **body):
        body = {"operation": operation, "reason": "seen", **body}
        answer = client.post(session_path(class_session, "bulk/"), body)
        assert answer.status_code == 200
        return answer.json()

    return bulk


@SIZES
def test_check_in_by_code(school, django_assert_num_queries):
    _, class_session, students, _ = school
    client = client_for(students[1])
    body = {"verification_code": class_session.verification_code}
    with django_assert_num_queries(7):
        assert client.post(f"{API}/check-ins/code/", body).status_code == 201
    with django_assert_num_queries(2):
        assert client.post(f"{API}/check-ins/code/", body).status_code == 200


@SIZES
def test_check_in_by_qr(school, django_assert_num_queries):
    _, class_session, students, teacher_client = school
    client = client_for(students[1])
    body = {"token": qr_token_of(teacher_client, class_session)}
    with django_assert_num_queries(7):
        assert client.post(f"{API}/check-ins/qr/", body).status_code == 201
    with django_assert_num_queries(2):
        assert client.post(f"{API}/check-ins/qr/", body).status_code == 200


@SIZES
def test_override(school, django_assert_num_queries):
    _, class_session, students, client = school
    body = {"student_id": students[-1].pk, "status": "late", "reason": "seen"}
    with django_assert_num_queries(14):
        answer = client.post(session_path(class_session, "override/"), body)
    assert answer.status_code == 200


@SIZES
def test_bulk(school, bulk, size, django_assert_num_queries):
    # One of them locks the course: nobody becomes unmarked meanwhile.
    with django_assert_num_queries(11):
        assert bulk("mark_absent", only_unmarked=True)["processed_count"] == size - 1
    with django_assert_num_queries(11):
        assert bulk("mark_excused")["processed_count"] == size
    with django_assert_num_queries(8):
        assert bulk("mark_excused")["processed_count"] == 0


@SIZES
def test_close(school, size, django_assert_num_queries):
    _, class_session, _, client = school
    with django_assert_num_queries(15):
        answer = client.post(session_path(class_session, "close/"))
    assert answer.json()["counts"]["absent"] == size - 1


@SIZES
def test_roster(school, size, django_assert_num_queries):
    _, class_session, _, client = school
    with django_assert_num_queries(4):
        answer = client.get(session_path(class_session, "roster/"))
    assert len(answer.json()["records"]) == size


@SIZES
def test_events(school, bulk, django_assert_num_queries):
    _, class_session, _, client = school
    for operation in ("mark_absent", "mark_late", "mark_present"):
        bulk(operation)
    with django_assert_num_queries(4):
        answer = client.get(session_path(class_session, "events/"))
    assert len(answer.json()["events"]) == 5


@SIZES
def test_records(school, bulk, size, django_assert_num_queries):
    bulk("mark_present")
    *_, client = school
    with django_assert_num_queries(3):
        answer = client.get(f"{API}/attendance/")
    assert len(answer.json()["results"]) == size


@SIZES
def test_records_of_a_course(school, bulk, size, django_assert_num_queries):
    bulk("mark_present")
    course, *_, client = school
    with django_assert_num_queries(4):
        answer = client.get(f"{API}/attendance/?course={course.pk}")
    assert len(answer.json()["results"]) == size


@SIZES
def test_history(school, bulk, django_assert_num_queries):
    _, _, students, client = school
    for operation in ("mark_absent", "mark_late", "mark_present"):
        bulk(operation)
    query = f"?student={students[0].pk}"
    record = client.get(f"{API}/attendance/{query}").json()["results"][0]
    with django_assert_num_queries(4):
        answer = client.get(f"{API}/attendance/{record['id']}/history/")
    assert answer.json()["count"] == 4


@SIZES
def test_enrollments(school, size, django_assert_num_queries):
    course, _, _, client = school
    with django_assert_num_queries(4):
        answer = client.get(course_path(course, "enrollments/"))
    assert len(answer.json()["results"]) == size


MANY = pytest.mark.parametrize("number", [3, 20])


@MANY
def test_list_of_class_sessions(
    number, course, teacher_client, django_assert_num_queries
):
    for _ in range(number):
        make_session(course)
    with django_assert_num_queries(6):
        answer = teacher_client.get(f"{API}/class-sessions/")
    assert len(answer.json()["results"]) == number


@MANY
def test_list_of_courses(number, teacher, teacher_client, django_assert_num_queries):
    for n in range(number):
        make_course(teacher, f"Course {n}")
    with django_assert_num_queries(4):
        answer = teacher_client.get(f"{API}/courses/")
    assert len(answer.json()["results"]) == number


@MANY
def test_opening_asks_no_more_for_many_sessions(
    number, course, teacher_client, django_assert_num_queries
):
    for _ in range(number):
        make_session(course)
    planned = make_session(course, open_now=False)
    with django_assert_num_queries(17):
        answer = teacher_client.post(session_path(planned, "open/"))
    assert answer.status_code == 200
