"""scheduled → open → closed → open: each step, each no-op, each refusal."""

import itertools

import pytest

from tests.cast import (
    assert_refused,
    client_for,
    enroll,
    make_course,
    make_session,
    messages_of,
    qr_token_of,
    session_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(course):
    return make_session(course, open_now=False, title="Week 3")


def post(client, class_session, step):
    return client.post(session_path(class_session, step))


def test_opening(planned, teacher_client):
    answer = post(teacher_client, planned, "open/")
    assert answer.status_code == 200
    body = answer.json()
    assert body["state"] == "open"
    assert body["revision"] == 1
    assert len(body["verification_code"]) == 6
    assert body == session_of(teacher_client, planned)
    (message,) = messages_of(teacher_client, planned)
    assert message == {
        "type": "session_update",
        "revision": 1,
        "class_session_id": planned.pk,
        "timestamp": message["timestamp"],
        "data": {"event": "opened", "class_session": body},
    }


def test_opening_does_not_move_the_times(planned, teacher_client):
    before = session_of(teacher_client, planned)
    after = post(teacher_client, planned, "open/").json()
    for name in ("starts_at", "ends_at"):
        assert after[name] == before[name]


def test_closing_marks_who_is_unmarked(
    class_session, student, student2, teacher, teacher_client, student_client
):
    student_client.post(
        "/api/v1/check-ins/code/",
        {"verification_code": class_session.verification_code},
    )
    answer = post(teacher_client, class_session, "close/")
    assert answer.status_code == 200
    body = answer.json()
    assert body["state"] == "closed"
    assert body["verification_code"] is None
    assert body["revision"] == 4
    assert body["counts"] == {
        "enrolled": 2,
        "unmarked": 0,
        "present": 1,
        "late": 0,
        "absent": 1,
        "excused": 0,
    }
    absent = snapshot_of(teacher_client, class_session)["records"][1]
    assert absent == {
        "id": absent["id"],
        "student_id": student2.pk,
        "student_name": "Bela Bartok",
        "class_session_id": class_session.pk,
        "class_name": "Math 101",
        "attendance_status": "absent",
        "check_in_time": None,
        "is_late": False,
        "late_minutes": 0,
        "verification_method": "auto_close",
        "is_manual_override": False,
        "override_reason": None,
        "notes": "",
        "version": 1,
    }
    marked, closed = messages_of(teacher_client, class_session, after=2)
    assert marked["type"] == "attendance_update"
    assert marked["data"] == {
        "event": "auto_close",
        "operation": "mark_absent",
        "operation_id": marked["data"]["operation_id"],
        "processed_count": 1,
        "unchanged_count": 0,
        "failed_count": 0,
        "reason": "closed",
        "updated_by": {"id": teacher.pk, "name": "Tilda Owner"},
        "records": [
            {**absent, "old_status": "unmarked", "timestamp": marked["timestamp"]}
        ],
    }
    assert isinstance(marked["data"]["operation_id"], str)
    assert closed["type"] == "session_update"
    assert closed["revision"] == 4
    assert closed["data"] == {"event": "closed", "class_session": body}


def test_closing_with_nobody_unmarked_is_one_message(
    class_session, student, student2, teacher_client
):
    teacher_client.post(
        session_path(class_session, "bulk/"),
        {"operation": "mark_present", "reason": "seen"},
    )
    body = post(teacher_client, class_session, "close/").json()
    (message,) = messages_of(teacher_client, class_session, after=2)
    assert message["data"] == {"event": "closed", "class_session": body}


def test_closing_an_empty_class_is_one_message(teacher, teacher_client):
    class_session = make_session(make_course(teacher, "Nobody's"))
    assert post(teacher_client, class_session, "close/").json()["revision"] == 2


def test_reopening(class_session, teacher_client):
    post(teacher_client, class_session, "close/")
    answer = post(teacher_client, class_session, "reopen/")
    assert answer.status_code == 200
    body = answer.json()
    assert body["state"] == "open"
    assert body["verification_code"] not in (None, class_session.verification_code)
    # Who was marked on closing keeps the mark.
    assert body["counts"]["absent"] == 2
    assert body["revision"] == 4
    (message,) = messages_of(teacher_client, class_session, after=3)
    assert message["data"] == {"event": "reopened", "class_session": body}


def test_closing_again_marks_only_who_came_since(
    course, class_session, outsider, teacher_client
):
    post(teacher_client, class_session, "close/")
    enroll(course, outsider)
    post(teacher_client, class_session, "reopen/")
    post(teacher_client, class_session, "close/")
    marked = messages_of(teacher_client, class_session, after=4)[0]
    assert marked["data"]["processed_count"] == 1
    assert [r["student_id"] for r in marked["data"]["records"]] == [outsider.pk]


def test_rotating_the_code(class_session, teacher_client):
    old_token = qr_token_of(teacher_client, class_session)
    answer = post(teacher_client, class_session, "rotate-code/")
    assert answer.status_code == 200
    code = answer.json()["verification_code"]
    assert answer.json() == {"verification_code": code}
    assert len(code) == 6 and code.isascii() and code.isdigit()
    assert code != class_session.verification_code
    body = session_of(teacher_client, class_session)
    assert body["verification_code"] == code
    assert body["revision"] == 2
    (message,) = messages_of(teacher_client, class_session, after=1)
    assert message["data"] == {"event": "code_rotated", "class_session": body}
    assert qr_token_of(teacher_client, class_session) != old_token


# What may not be ------------------------------------------------------------------

STATES = {
    "scheduled": [],
    "open": ["open/"],
    "closed": ["open/", "close/"],
    "reopened": ["open/", "close/", "reopen/"],
}


def in_state(client, planned, state):
    for step in STATES[state]:
        assert post(client, planned, step).status_code == 200
    return snapshot_of(client, planned)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("open", "open/"),
        ("open", "reopen/"),
        ("reopened", "open/"),
        ("reopened", "reopen/"),
        ("closed", "close/"),
    ],
)
def test_where_it_is_already_nothing_changes(state, step, planned, teacher_client):
    before = in_state(teacher_client, planned, state)
    answer = post(teacher_client, planned, step)
    assert answer.status_code == 200
    assert answer.json() == before["class_session"]
    assert snapshot_of(teacher_client, planned) == before


@pytest.mark.parametrize(
    ("state", "step"),
    [("scheduled", "close/"), ("scheduled", "reopen/"), ("closed", "open/")],
)
def test_any_other_step_is_refused(state, step, planned, teacher_client):
    before = in_state(teacher_client, planned, state)
    answer = post(teacher_client, planned, step)
    assert answer.status_code == 409
    assert answer.json()["code"] == "invalid_state"
    assert set(answer.json()) == {"code", "detail"}
    assert snapshot_of(teacher_client, planned) == before


@pytest.mark.parametrize("state", ["scheduled", "closed"])
def test_without_being_open_there_is_no_code(state, planned, teacher_client):
    before = in_state(teacher_client, planned, state)
    assert before["class_session"]["verification_code"] is None
    for answer in (
        post(teacher_client, planned, "rotate-code/"),
        teacher_client.get(session_path(planned, "qr/")),
    ):
        assert answer.status_code == 409
        assert answer.json() == {
            "code": "session_not_open",
            "detail": "This class session is not open.",
        }
    assert snapshot_of(teacher_client, planned) == before


# The QR code ----------------------------------------------------------------------


def test_the_qr_code(class_session, teacher_client):
    answer = teacher_client.get(session_path(class_session, "qr/"))
    assert answer.status_code == 200
    body = answer.json()
    assert body == {
        "token": body["token"],
        "url": f"http://testserver/c/{body['token']}/",
        "svg": body["svg"],
        "verification_code": class_session.verification_code,
        "valid_until": None,
        "rotates_every_seconds": None,
    }
    assert "<svg" in body["svg"] and "<path" in body["svg"]


def test_looking_at_it_changes_nothing(class_session, teacher_client):
    tokens = {qr_token_of(teacher_client, class_session) for _ in range(3)}
    assert len(tokens) == 1
    assert session_of(teacher_client, class_session)["revision"] == 1


# Many turns -----------------------------------------------------------------------


def test_every_step_has_its_own_code_and_revision(planned, teacher_client):
    codes = []
    for step in ["open/", "rotate-code/", "close/", "reopen/", "rotate-code/"]:
        assert post(teacher_client, planned, step).status_code == 200
        codes.append(session_of(teacher_client, planned)["verification_code"])
    shown = [code for code in codes if code is not None]
    assert len(shown) == 4
    assert all(one != other for one, other in itertools.pairwise(shown))
    messages = messages_of(teacher_client, planned)
    assert [(m["revision"], m["data"]["event"]) for m in messages] == [
        (1, "opened"),
        (2, "code_rotated"),
        (3, "auto_close"),
        (4, "closed"),
        (5, "reopened"),
        (6, "code_rotated"),
    ]
    assert session_of(teacher_client, planned)["revision"] == 6


def test_a_co_teacher_and_an_administrator_may_do_it_too(
    class_session, co_teacher, admin
):
    assert post(client_for(co_teacher), class_session, "close/").status_code == 200
    assert post(client_for(admin), class_session, "reopen/").status_code == 200
    last = messages_of(client_for(admin), class_session)[-1]
    assert last["data"]["event"] == "reopened"


@pytest.mark.parametrize("step", ["open", "close", "reopen", "rotate-code"])
def test_a_body_that_is_no_json_is_refused(class_session, teacher_client, step):
    before = snapshot_of(teacher_client, class_session)
    path = session_path(class_session, f"{step}/")
    broken = teacher_client.post(path, b'{"a":', content_type="application/json")
    assert_refused(broken, 400, "parse_error")
    text = teacher_client.post(path, b"x", content_type="text/plain")
    assert_refused(text, 415, "unsupported_media_type")
    assert snapshot_of(teacher_client, class_session) == before
