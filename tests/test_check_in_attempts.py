"""Guessing: ten wrong codes or forged tokens, and that student has to wait."""

from datetime import timedelta

import pytest
from django.utils import timezone

from attendance.models import FailedCheckIn
from tests.cast import (
    API,
    assert_refused,
    client_for,
    make_students,
    qr_token_of,
    session_path,
    snapshot_of,
    wrong_code,
)

pytestmark = pytest.mark.django_db
CODE = f"{API}/check-ins/code/"
QR = f"{API}/check-ins/qr/"


def fail_before(student, *ages):
    """As if the student had sent a wrong code that long ago."""
    now = timezone.now()
    FailedCheckIn.objects.bulk_create(
        FailedCheckIn(student=student, at=now - age) for age in ages
    )


@pytest.fixture
def right(class_session):
    return {"verification_code": class_session.verification_code}


@pytest.fixture
def wrong(class_session):
    return {"verification_code": wrong_code(class_session)}


@pytest.fixture
def locked_out(student):
    """Ten failures, the oldest nine minutes ago."""
    fail_before(student, timedelta(minutes=9), *[timedelta(minutes=1)] * 9)


def test_the_eleventh_attempt_is_not_looked_at(
    class_session, right, wrong, student_client, teacher_client
):
    before = snapshot_of(teacher_client, class_session)
    for _ in range(10):
        answer = student_client.post(CODE, wrong)
        assert (answer.status_code, answer.json()["code"]) == (404, "invalid_code")
    for body in (wrong, right):
        answer = student_client.post(CODE, body)
        assert answer.status_code == 429
        assert answer.json() == {
            "code": "too_many_attempts",
            "detail": "Too many wrong codes. Wait a few minutes or ask your teacher.",
        }
        assert 590 <= int(answer["Retry-After"]) <= 600
    assert snapshot_of(teacher_client, class_session) == before


def test_forged_tokens_and_wrong_codes_count_together(right, wrong, student_client):
    for _ in range(5):
        assert student_client.post(QR, {"token": "forged"}).status_code == 400
        assert student_client.post(CODE, wrong).status_code == 404
    assert student_client.post(CODE, right).status_code == 429
    assert student_client.post(QR, {"token": "forged"}).status_code == 429


def test_it_concerns_that_student_alone(locked_out, right, student, student2):
    assert client_for(student).post(CODE, right).status_code == 429
    assert client_for(student2).post(CODE, right).status_code == 201


def test_a_whole_class_behind_one_address_checks_in(course, right, wrong):
    students = make_students(course, 40)
    for student in students:
        client = client_for(student)
        assert client.post(CODE, wrong).status_code == 404
        assert client.post(CODE, right).status_code == 201


def test_everything_else_still_works_for_that_student(locked_out, student_client):
    assert student_client.get(f"{API}/attendance/").status_code == 200
    assert student_client.get(f"{API}/courses/").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CODE, {"verification_code": "12"}),
        (CODE, {"verification_code": 482913}),
        (CODE, {}),
        (QR, {"token": None}),
        (QR, {"token": "forged"}),
    ],
)
def test_who_must_wait_learns_that_before_all_else(
    path, body, locked_out, student_client
):
    answer = student_client.post(path, body)
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_attempts"
    assert 55 <= int(answer["Retry-After"]) <= 60


def test_a_genuine_token_must_wait_too(
    locked_out, class_session, student_client, teacher_client
):
    token = qr_token_of(teacher_client, class_session)
    assert student_client.post(QR, {"token": token}).status_code == 429


def test_what_is_malformed_does_not_count(right, student_client):
    for typed in ["", "12", "12345x", "1234567"] * 3:
        answer = student_client.post(CODE, {"verification_code": typed})
        assert answer.json()["code"] == "invalid_format"
    for body in [{}, {"verification_code": 482913}, []] * 4:
        assert student_client.post(CODE, body).json()["code"] == "invalid"
    assert student_client.post(CODE, right).status_code == 201


def test_expired_tokens_do_not_count(
    class_session, right, student_client, teacher_client
):
    token = qr_token_of(teacher_client, class_session)
    teacher_client.post(session_path(class_session, "rotate-code/"))
    for _ in range(12):
        answer = student_client.post(QR, {"token": token})
        assert answer.json()["code"] == "expired_token"
    token = qr_token_of(teacher_client, class_session)
    assert student_client.post(QR, {"token": token}).status_code == 201


def test_other_refusals_do_not_count(right, outsider):
    client = client_for(outsider)
    for _ in range(12):
        assert client.post(CODE, right).json()["code"] == "not_enrolled"


def test_a_right_one_resets_nothing(right, wrong, student_client):
    for _ in range(9):
        student_client.post(CODE, wrong)
    assert student_client.post(CODE, right).status_code == 201
    assert student_client.post(CODE, wrong).status_code == 404
    assert student_client.post(CODE, right).status_code == 429


def test_ten_minutes_later_it_is_forgotten(right, student, student_client):
    fail_before(student, *[timedelta(minutes=10)] * 10)
    assert student_client.post(CODE, right).status_code == 201


def test_only_the_oldest_has_to_pass(right, wrong, student, student_client):
    fail_before(student, timedelta(minutes=10), *[timedelta(minutes=9)] * 9)
    assert student_client.post(CODE, wrong).status_code == 404
    answer = student_client.post(CODE, right)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) <= 60


def test_refused_attempts_do_not_make_the_wait_longer(
    locked_out, wrong, student_client
):
    waits = [int(student_client.post(CODE, wrong)["Retry-After"]) for _ in range(5)]
    assert max(waits) <= 60
    assert waits == sorted(waits, reverse=True)


def test_an_empty_token_is_no_attempt(student_client):
    for _ in range(12):
        assert_refused(student_client.post(QR, {"token": " "}), 400, "invalid_token")
