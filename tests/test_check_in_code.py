from datetime import timedelta

import pytest
from django.utils import timezone

from attendance.models import ClassSession
from tests.cast import (
    API,
    client_for,
    make_session,
    messages_of,
    post_json,
    session_of,
    session_path,
    snapshot_of,
    wrong_code,
)

pytestmark = pytest.mark.django_db
PATH = f"{API}/check-ins/code/"


@pytest.fixture
def code(class_session):
    """A code with leading zeros and every kind of digit that scripts differ in."""
    # Set in the database: the API draws codes at random.
    code = "004913"
    ClassSession.objects.filter(pk=class_session.pk).update(verification_code=code)
    return code


def test_it_works(class_session, student, student_client, teacher_client):
    code = session_of(teacher_client, class_session)["verification_code"]
    answer = student_client.post(PATH, {"verification_code": code})
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "already_checked_in": False,
        "message": "You are checked in to Math 101, on time.",
        "record": {
            "id": body["record"]["id"],
            "student_id": student.pk,
            "student_name": "Ada Lovelace",
            "class_session_id": class_session.pk,
            "class_name": "Math 101",
            "attendance_status": "present",
            "check_in_time": body["record"]["check_in_time"],
            "is_late": False,
            "late_minutes": 0,
            "verification_method": "verification_code",
            "is_manual_override": False,
            "override_reason": None,
            "notes": "",
            "version": 1,
        },
    }
    (message,) = messages_of(teacher_client, class_session, after=1)
    assert message["type"] == "student_joined"
    assert message["data"]["verification_method"] == "verification_code"


def test_a_second_time_changes_nothing(
    code, class_session, student_client, teacher_client
):
    first = student_client.post(PATH, {"verification_code": code}).json()
    before = snapshot_of(teacher_client, class_session)
    answer = student_client.post(PATH, {"verification_code": code})
    assert answer.status_code == 200
    assert answer.json()["already_checked_in"] is True
    assert answer.json()["record"] == first["record"]
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize(
    "typed",
    [
        "004913",
        "004 913",
        "  0 0 4 9 1 3  ",
        "004\t913\n",
        "004\N{NO-BREAK SPACE}913",
        "004\N{THIN SPACE}913",
        "004\N{IDEOGRAPHIC SPACE}913",
        "004-913",
        "-0-0-4-9-1-3-",
        "004\N{HYPHEN}913",
        "004\N{NON-BREAKING HYPHEN}913",
        "004\N{EN DASH}913",
        "004\N{EM DASH}913",
        "004\N{MINUS SIGN}913",
        "004\N{SOFT HYPHEN}913",
        "004\N{SMALL HYPHEN-MINUS}913",
        "004\N{FULLWIDTH HYPHEN-MINUS}913",
        "004\N{ARMENIAN HYPHEN}913",
        "٠٠٤٩١٣",
        "۰۰۴۹۱۳",
        "००४९१३",
        "๐๐๔๙๑๓",
        "００４９１３",
        "𝟎𝟎𝟒𝟗𝟏𝟑",
        "0٠४9１3",
        "٠٠٤ – ٩١٣",
    ],
)
def test_spaces_hyphens_and_scripts_do_not_matter(typed, code, student_client):
    answer = student_client.post(PATH, {"verification_code": typed})
    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "-",
        "04913",
        "0004913",
        "004913004913",
        "00491x",
        "+04913",
        "4913.0",
        "004_913",
        "004,913",
        "0x1331",
        "²²²²²²",
        "①②③④⑤⑥",
        "ⅠⅡⅢⅣⅤⅥ",
        "一二三四五六",
        "004913\0",
        "004913\ud800",
        "004913'; DROP TABLE users; --",
        "9" * 100_000,
        " " * 100_000,
    ],
)
def test_what_is_not_six_digits_has_the_wrong_format(
    typed, code, class_session, student_client, teacher_client
):
    before = snapshot_of(teacher_client, class_session)
    answer = post_json(student_client, PATH, {"verification_code": typed})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "invalid_format",
        "detail": "A verification code has six digits.",
    }
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "004913"},
        {"verification_code": None},
        {"verification_code": 4913},
        {"verification_code": 482913},
        {"verification_code": True},
        {"verification_code": ["004913"]},
        {"verification_code": {"0": "004913"}},
    ],
)
def test_what_is_no_string_is_invalid(body, code, student_client):
    answer = student_client.post(PATH, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == ["verification_code"]


def test_a_code_that_no_session_has_is_unknown(
    class_session, student_client, teacher_client
):
    before = snapshot_of(teacher_client, class_session)
    answer = student_client.post(PATH, {"verification_code": wrong_code(class_session)})
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "invalid_code",
        "detail": "No open class session has this code. "
        "Check the digits shown in class.",
    }
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize("steps", [["rotate-code/"], ["close/"], ["close/", "reopen/"]])
def test_a_code_of_before_is_unknown(
    steps, code, class_session, student_client, teacher_client
):
    for step in steps:
        teacher_client.post(session_path(class_session, step))
    answer = student_client.post(PATH, {"verification_code": code})
    assert answer.status_code == 404
    assert answer.json()["code"] == "invalid_code"


def test_the_code_chooses_among_several_open_sessions(
    course, class_session, student_client
):
    second = make_session(course, title="The other room")
    answer = student_client.post(PATH, {"verification_code": second.verification_code})
    assert answer.json()["record"]["class_session_id"] == second.pk


def test_who_is_not_enrolled_is_refused_and_not_enrolled(
    code, course, outsider, teacher_client
):
    client = client_for(outsider)
    answer = client.post(PATH, {"verification_code": code})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_enrolled")
    assert client.get(f"{API}/courses/").json()["count"] == 0


def test_too_early(course, student_client):
    session = make_session(
        course, starts_at=timezone.now() + timedelta(minutes=16), early_minutes=15
    )
    answer = student_client.post(PATH, {"verification_code": session.verification_code})
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "too_early",
        "detail": "Check-in has not begun yet. Try again shortly before class.",
    }


@pytest.mark.parametrize(
    "rule", [{"allow_late_check_in": False}, {"late_cutoff_minutes": 10}]
)
def test_too_late(rule, course, student_client):
    session = make_session(
        course, starts_at=timezone.now() - timedelta(minutes=11), **rule
    )
    answer = student_client.post(PATH, {"verification_code": session.verification_code})
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "check_in_closed",
        "detail": "It is too late to check in by yourself. Ask your teacher.",
    }


def test_the_end_of_the_session_does_not_close_it(course, student_client):
    session = make_session(
        course,
        starts_at=timezone.now() - timedelta(hours=2, seconds=5),
        ends_at=timezone.now() - timedelta(hours=1),
    )
    answer = student_client.post(PATH, {"verification_code": session.verification_code})
    assert answer.status_code == 201
    assert answer.json()["record"]["late_minutes"] == 120


def test_who_was_marked_on_closing_checks_in_like_anyone_else_after_a_reopen(
    class_session, student, student_client, teacher_client
):
    teacher_client.post(session_path(class_session, "close/"))
    body = teacher_client.post(session_path(class_session, "reopen/")).json()
    answer = student_client.post(PATH, {"verification_code": body["verification_code"]})
    assert answer.status_code == 201
    record = answer.json()["record"]
    assert answer.json()["already_checked_in"] is False
    assert record["attendance_status"] == "present"
    assert record["verification_method"] == "verification_code"
    assert record["is_manual_override"] is False
    assert record["check_in_time"] is not None
    assert record["version"] == 2
    (message,) = messages_of(teacher_client, class_session, after=body["revision"])
    assert message["type"] == "student_joined"
    assert message["data"]["old_status"] == "absent"


@pytest.mark.parametrize("status", ["present", "late", "absent", "excused"])
def test_a_teachers_mark_stands(
    status, code, class_session, student, student_client, teacher_client
):
    marked = teacher_client.post(
        session_path(class_session, "override/"),
        {"student_id": student.pk, "status": status, "reason": "seen"},
    ).json()
    before = snapshot_of(teacher_client, class_session)
    answer = student_client.post(PATH, {"verification_code": code})
    assert answer.status_code == 200
    assert answer.json() == {
        "already_checked_in": True,
        "message": "Your teacher has already marked you for Math 101.",
        "record": marked,
    }
    assert snapshot_of(teacher_client, class_session) == before
