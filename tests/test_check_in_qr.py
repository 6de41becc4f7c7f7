from datetime import datetime, timedelta

import pytest
from django.core import signing
from django.utils import timezone

from tests.cast import (
    API,
    client_for,
    messages_of,
    post_json,
    qr_token_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db
PATH = f"{API}/check-ins/qr/"


def test_it_works(class_session, student, student_client, teacher_client):
    token = qr_token_of(teacher_client, class_session)
    before = timezone.now()
    answer = student_client.post(PATH, {"token": token})
    assert answer.status_code == 201
    body = answer.json()
    record = body["record"]
    checked_in = datetime.fromisoformat(record["check_in_time"])
    assert before <= checked_in <= timezone.now()
    assert record["check_in_time"].endswith("Z")
    assert body == {
        "already_checked_in": False,
        "message": "You are checked in to Math 101, on time.",
        "record": {
            "id": record["id"],
            "student_id": student.pk,
            "student_name": "Ada Lovelace",
            "class_session_id": class_session.pk,
            "class_name": "Math 101",
            "attendance_status": "present",
            "check_in_time": record["check_in_time"],
            "is_late": False,
            "late_minutes": 0,
            "verification_method": "qr_code",
            "is_manual_override": False,
            "override_reason": None,
            "notes": "",
            "version": 1,
        },
    }
    assert isinstance(record["id"], int)
    assert record in snapshot_of(teacher_client, class_session)["records"]


def test_it_commits_one_message(class_session, student_client, teacher_client):
    token = qr_token_of(teacher_client, class_session)
    record = student_client.post(PATH, {"token": token}).json()["record"]
    (message,) = messages_of(teacher_client, class_session, after=1)
    assert message == {
        "type": "student_joined",
        "revision": 2,
        "class_session_id": class_session.pk,
        "timestamp": record["check_in_time"],
        "data": {
            "student_id": record["student_id"],
            "student_name": "Ada Lovelace",
            "class_session_id": class_session.pk,
            "class_name": "Math 101",
            "attendance_status": "present",
            "check_in_time": record["check_in_time"],
            "is_late": False,
            "late_minutes": 0,
            "verification_method": "qr_code",
            "is_manual_override": False,
            "override_reason": None,
            "timestamp": record["check_in_time"],
            "id": record["id"],
            "version": 1,
            "notes": "",
            "old_status": "unmarked",
        },
    }


def test_a_second_time_changes_nothing(class_session, student_client, teacher_client):
    token = qr_token_of(teacher_client, class_session)
    first = student_client.post(PATH, {"token": token}).json()
    before = snapshot_of(teacher_client, class_session)
    answer = student_client.post(PATH, {"token": token})
    assert answer.status_code == 200
    assert answer.json() == {
        "already_checked_in": True,
        "message": "You were already checked in to Math 101.",
        "record": first["record"],
    }
    assert snapshot_of(teacher_client, class_session) == before


def test_after_the_grace_period_it_is_late(
    class_session, student_client, teacher_client
):
    starts_at = timezone.now() - timedelta(minutes=7, seconds=30)
    teacher_client.patch(session_path(class_session), {"starts_at": starts_at})
    token = qr_token_of(teacher_client, class_session)
    answer = student_client.post(PATH, {"token": token})
    assert answer.status_code == 201
    body = answer.json()
    assert body["message"] == "You are checked in to Math 101, 7 minutes late."
    assert body["record"]["attendance_status"] == "late"
    assert body["record"]["is_late"] is True
    assert body["record"]["late_minutes"] == 7


def test_who_is_late_by_seconds_is_told_so(
    class_session, student_client, teacher_client
):
    starts_at = timezone.now() - timedelta(seconds=20)
    settings = {"starts_at": starts_at, "grace_minutes": 0}
    teacher_client.patch(session_path(class_session), settings)
    token = qr_token_of(teacher_client, class_session)
    body = student_client.post(PATH, {"token": token}).json()
    assert body["record"]["late_minutes"] == 0
    assert body["message"] == "You are checked in to Math 101, less than a minute late."


def test_the_token_does_for_every_student(
    class_session, student, student2, teacher_client
):
    token = qr_token_of(teacher_client, class_session)
    for person in (student, student2):
        answer = client_for(person).post(PATH, {"token": token})
        assert answer.status_code == 201
        assert answer.json()["record"]["student_id"] == person.pk


def test_who_it_is_for_is_not_in_the_body(
    class_session, student, student2, student_client, teacher_client
):
    body = {
        "token": qr_token_of(teacher_client, class_session),
        "student_id": student2.pk,
        "attendance_status": "excused",
        "check_in_time": "2001-01-01T00:00:00Z",
    }
    record = student_client.post(PATH, body).json()["record"]
    assert record["student_id"] == student.pk
    assert record["attendance_status"] == "present"
    assert not record["check_in_time"].startswith("2001")


def test_a_token_replaced_by_rotation_has_expired(
    class_session, student_client, teacher_client
):
    old = qr_token_of(teacher_client, class_session)
    teacher_client.post(session_path(class_session, "rotate-code/"))
    answer = student_client.post(PATH, {"token": old})
    assert answer.status_code == 400
    assert answer.json()["code"] == "expired_token"
    new = qr_token_of(teacher_client, class_session)
    assert student_client.post(PATH, {"token": new}).status_code == 201


def test_a_token_from_before_reopening_has_expired(
    class_session, student_client, teacher_client
):
    old = qr_token_of(teacher_client, class_session)
    teacher_client.post(session_path(class_session, "close/"))
    teacher_client.post(session_path(class_session, "reopen/"))
    answer = student_client.post(PATH, {"token": old})
    assert (answer.status_code, answer.json()["code"]) == (400, "expired_token")


def test_a_closed_session_is_not_open(class_session, student_client, teacher_client):
    token = qr_token_of(teacher_client, class_session)
    teacher_client.post(session_path(class_session, "close/"))
    answer = student_client.post(PATH, {"token": token})
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "session_not_open",
        "detail": "This class session is not open.",
    }


def test_it_never_enrolls(class_session, outsider, teacher_client):
    token = qr_token_of(teacher_client, class_session)
    before = snapshot_of(teacher_client, class_session)
    answer = client_for(outsider).post(PATH, {"token": token})
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "not_enrolled",
        "detail": "You are not enrolled in this course. Ask your teacher to add you.",
    }
    assert snapshot_of(teacher_client, class_session) == before


def _manglings(token):
    session_id, generation, step, signature = token.split(".")
    return [
        "",
        " ",
        "....",
        "\0",
        "\ud800",
        "‮" + token,
        token[:-1],
        token + "x",
        token + "\n",
        token.swapcase(),
        token.replace(".", ":"),
        f"{int(session_id) + 1}.{generation}.{step}.{signature}",
        f"{session_id}.{int(generation) + 1}.{step}.{signature}",
        f"{session_id}.{generation}.{int(step) + 1}.{signature}",
        f"{session_id}.{generation}.{signature}",
        signature,
        f"http://testserver/c/{token}/",
        "x" * 100_000,
        signing.Signer(sep=".").sign(f"{session_id}.{generation}.{step}"),
        signing.Signer(key="another key", salt="attendance.qr-token", sep=".").sign(
            f"{session_id}.{generation}.{step}"
        ),
    ]


@pytest.mark.parametrize("number", range(20))
def test_a_forged_or_mangled_token_is_invalid(
    number, class_session, student_client, teacher_client
):
    manglings = _manglings(qr_token_of(teacher_client, class_session))
    assert len(manglings) == 20
    before = snapshot_of(teacher_client, class_session)
    answer = post_json(student_client, PATH, {"token": manglings[number]})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "invalid_token",
        "detail": "This QR code is not one of ours. Scan the code shown in class.",
    }
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": 1}, {"token": ["x"]}])
def test_what_is_no_string_is_invalid(body, class_session, student_client):
    answer = student_client.post(PATH, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == ["token"]
