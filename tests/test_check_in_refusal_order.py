"""
Where several refusals would do, the first of the contract's order is given.

Each test makes one reason true together with every later one that can be.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from attendance.models import FailedCheckIn
from tests.cast import (
    API,
    client_for,
    make_session,
    qr_token_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db
CODE = f"{API}/check-ins/code/"
QR = f"{API}/check-ins/qr/"


@pytest.fixture
def tomorrow(course):
    """Open, but too early for a check-in."""
    return make_session(course, starts_at=timezone.now() + timedelta(days=1))


@pytest.fixture
def yesterday(course):
    """Still open, but too late for a check-in."""
    return make_session(
        course,
        starts_at=timezone.now() - timedelta(days=1),
        allow_late_check_in=False,
    )


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def override(client, class_session, student):
    path = session_path(class_session, "override/")
    body = {"student_id": student.pk, "status": "excused", "reason": "ill"}
    return client.post(path, body).json()


def test_too_many_attempts_comes_before_all(tomorrow, outsider, teacher_client):
    token = qr_token_of(teacher_client, tomorrow)
    teacher_client.post(session_path(tomorrow, "close/"))
    FailedCheckIn.objects.bulk_create(
        FailedCheckIn(student=outsider, at=timezone.now()) for _ in range(10)
    )
    client = client_for(outsider)
    for path, body in [
        (QR, {"token": token}),
        (QR, {"token": "forged"}),
        (QR, {"token": 1}),
        (CODE, {"verification_code": tomorrow.verification_code}),
        (CODE, {"verification_code": "12"}),
    ]:
        assert refusal(client.post(path, body)) == (429, "too_many_attempts")


def test_expired_token_comes_before_not_enrolled(tomorrow, outsider, teacher_client):
    token = qr_token_of(teacher_client, tomorrow)
    teacher_client.post(session_path(tomorrow, "rotate-code/"))
    teacher_client.post(session_path(tomorrow, "close/"))
    answer = client_for(outsider).post(QR, {"token": token})
    assert refusal(answer) == (400, "expired_token")


def test_invalid_code_comes_before_not_enrolled(tomorrow, outsider, teacher_client):
    teacher_client.post(session_path(tomorrow, "close/"))
    body = {"verification_code": tomorrow.verification_code}
    assert refusal(client_for(outsider).post(CODE, body)) == (404, "invalid_code")


def test_not_enrolled_comes_before_session_not_open(tomorrow, outsider, teacher_client):
    token = qr_token_of(teacher_client, tomorrow)
    teacher_client.post(session_path(tomorrow, "close/"))
    answer = client_for(outsider).post(QR, {"token": token})
    assert refusal(answer) == (403, "not_enrolled")


def test_not_enrolled_comes_before_already_checked_in(
    course, class_session, student, teacher_client
):
    body = {"verification_code": class_session.verification_code}
    client = client_for(student)
    assert client.post(CODE, body).status_code == 201
    teacher_client.delete(f"{API}/courses/{course.pk}/enrollments/{student.pk}/")
    assert refusal(client.post(CODE, body)) == (403, "not_enrolled")


def test_not_enrolled_comes_before_too_early(tomorrow, outsider):
    body = {"verification_code": tomorrow.verification_code}
    assert refusal(client_for(outsider).post(CODE, body)) == (403, "not_enrolled")


def test_session_not_open_comes_before_already_checked_in(
    class_session, student, student_client, teacher_client
):
    token = qr_token_of(teacher_client, class_session)
    assert student_client.post(QR, {"token": token}).status_code == 201
    teacher_client.post(session_path(class_session, "close/"))
    answer = student_client.post(QR, {"token": token})
    assert refusal(answer) == (409, "session_not_open")


@pytest.mark.parametrize("when", ["tomorrow", "yesterday"])
def test_session_not_open_comes_before_the_rules_of_time(
    when, request, student_client, teacher_client
):
    class_session = request.getfixturevalue(when)
    token = qr_token_of(teacher_client, class_session)
    teacher_client.post(session_path(class_session, "close/"))
    answer = student_client.post(QR, {"token": token})
    assert refusal(answer) == (409, "session_not_open")


@pytest.mark.parametrize("when", ["tomorrow", "yesterday"])
def test_already_checked_in_comes_before_the_rules_of_time(
    when, request, student, student_client, teacher_client
):
    class_session = request.getfixturevalue(when)
    record = override(teacher_client, class_session, student)
    token = qr_token_of(teacher_client, class_session)
    for path, body in [
        (QR, {"token": token}),
        (CODE, {"verification_code": class_session.verification_code}),
    ]:
        answer = student_client.post(path, body)
        assert answer.status_code == 200
        assert answer.json()["already_checked_in"] is True
        assert answer.json()["record"] == record


def test_too_early_comes_last_but_one(tomorrow, student_client, teacher_client):
    before = snapshot_of(teacher_client, tomorrow)
    token = qr_token_of(teacher_client, tomorrow)
    answer = student_client.post(QR, {"token": token})
    assert refusal(answer) == (403, "too_early")
    assert snapshot_of(teacher_client, tomorrow) == before


def test_check_in_closed_comes_last(yesterday, student_client, teacher_client):
    before = snapshot_of(teacher_client, yesterday)
    token = qr_token_of(teacher_client, yesterday)
    answer = student_client.post(QR, {"token": token})
    assert refusal(answer) == (403, "check_in_closed")
    assert snapshot_of(teacher_client, yesterday) == before
