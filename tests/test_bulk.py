import uuid

import pytest

from tests.cast import (
    API,
    client_for,
    make_session,
    messages_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db


def bulk(client, class_session, operation="mark_absent", **body):
    body = {"operation": operation, "reason": "called out", **body}
    return client.post(session_path(class_session, "bulk/"), body)


@pytest.fixture
def checked_in(class_session, student, student_client):
    """`student` is present; `student2` is unmarked."""
    body = {"verification_code": class_session.verification_code}
    return student_client.post(f"{API}/check-ins/code/", body).json()["record"]


def counts(body):
    names = ("processed_count", "unchanged_count", "failed_count")
    return tuple(body[name] for name in names)


def test_it_works(
    class_session, checked_in, student, student2, teacher, teacher_client
):
    answer = bulk(teacher_client, class_session, "mark_excused", notes="school trip")
    assert answer.status_code == 200
    body = answer.json()
    records = snapshot_of(teacher_client, class_session)["records"]
    assert body == {
        "operation_id": body["operation_id"],
        "operation": "mark_excused",
        "processed_count": 2,
        "unchanged_count": 0,
        "failed_count": 0,
        "failed_students": [],
        "records": records,
    }
    uuid.UUID(body["operation_id"])
    assert records[0] == {
        **checked_in,
        "attendance_status": "excused",
        "verification_method": "teacher_override",
        "is_manual_override": True,
        "override_reason": "called out",
        "notes": "school trip",
        "version": 2,
    }
    assert records[1] == {
        "id": records[1]["id"],
        "student_id": student2.pk,
        "student_name": "Bela Bartok",
        "class_session_id": class_session.pk,
        "class_name": "Math 101",
        "attendance_status": "excused",
        "check_in_time": None,
        "is_late": False,
        "late_minutes": 0,
        "verification_method": "teacher_override",
        "is_manual_override": True,
        "override_reason": "called out",
        "notes": "school trip",
        "version": 1,
    }
    (message,) = messages_of(teacher_client, class_session, after=2)
    assert message == {
        "type": "attendance_update",
        "revision": 3,
        "class_session_id": class_session.pk,
        "timestamp": message["timestamp"],
        "data": {
            "event": "bulk",
            "operation": "mark_excused",
            "operation_id": body["operation_id"],
            "processed_count": 2,
            "unchanged_count": 0,
            "failed_count": 0,
            "reason": "called out",
            "updated_by": {"id": teacher.pk, "name": "Tilda Owner"},
            "records": [
                {**record, "old_status": old, "timestamp": message["timestamp"]}
                for record, old in zip(records, ["present", "unmarked"], strict=True)
            ],
        },
    }


@pytest.mark.parametrize("status", ["present", "late", "absent", "excused"])
def test_every_operation(status, class_session, teacher_client):
    body = bulk(teacher_client, class_session, f"mark_{status}").json()
    assert counts(body) == (2, 0, 0)
    assert {r["attendance_status"] for r in body["records"]} == {status}
    assert {r["is_late"] for r in body["records"]} == {status == "late"}


@pytest.mark.parametrize("state", ["scheduled", "open", "closed"])
def test_in_every_state(state, course, teacher_client):
    session = make_session(course, open_now=state != "scheduled")
    if state == "closed":
        teacher_client.post(session_path(session, "close/"))
    answer = bulk(teacher_client, session, "mark_present")
    assert answer.status_code == 200
    assert counts(answer.json()) == (2, 0, 0)


def test_null_is_the_whole_roster(class_session, teacher_client):
    answer = bulk(teacher_client, class_session, student_ids=None)
    assert counts(answer.json()) == (2, 0, 0)


def test_only_those_named(class_session, student, student2, teacher_client):
    answer = bulk(teacher_client, class_session, student_ids=[student2.pk])
    assert counts(answer.json()) == (1, 0, 0)
    records = snapshot_of(teacher_client, class_session)["records"]
    statuses = [record["attendance_status"] for record in records]
    assert statuses == ["unmarked", "absent"]


def test_who_has_the_status_already_is_unchanged(
    class_session, checked_in, student2, teacher_client
):
    body = bulk(teacher_client, class_session, "mark_present").json()
    assert counts(body) == (1, 1, 0)
    assert [r["student_id"] for r in body["records"]] == [student2.pk]
    assert checked_in in snapshot_of(teacher_client, class_session)["records"]


def test_only_unmarked_leaves_all_others(
    class_session, checked_in, student2, teacher_client
):
    body = bulk(teacher_client, class_session, "mark_absent", only_unmarked=True).json()
    assert counts(body) == (1, 1, 0)
    assert [r["student_id"] for r in body["records"]] == [student2.pk]
    assert checked_in in snapshot_of(teacher_client, class_session)["records"]


def test_repeated_ids_count_once(class_session, student, teacher_client):
    ids = [student.pk] * 3
    body = bulk(teacher_client, class_session, student_ids=ids).json()
    assert counts(body) == (1, 0, 0)


def test_who_is_not_on_the_roster_is_named(
    class_session, checked_in, student, student2, outsider, teacher_client
):
    unknown = [outsider.pk, 999_999_999, 10**30, 0, -5]
    body = bulk(
        teacher_client,
        class_session,
        "mark_present",
        student_ids=[student.pk, student2.pk, *unknown, outsider.pk],
    ).json()
    assert counts(body) == (1, 1, 5)
    assert {failed["student_id"] for failed in body["failed_students"]} == set(unknown)
    for failed in body["failed_students"]:
        assert set(failed) == {"student_id", "code", "detail"}
        assert failed["code"] == "not_on_roster"
    message = messages_of(teacher_client, class_session)[-1]
    assert counts(message["data"]) == (1, 1, 5)


def test_when_everybody_fails_nothing_changes(class_session, outsider, teacher_client):
    before = snapshot_of(teacher_client, class_session)
    answer = bulk(teacher_client, class_session, student_ids=[outsider.pk])
    assert answer.status_code == 200
    assert counts(answer.json()) == (0, 0, 1)
    assert answer.json()["records"] == []
    assert snapshot_of(teacher_client, class_session) == before


def test_the_same_again_commits_no_message(class_session, teacher_client):
    bulk(teacher_client, class_session)
    before = snapshot_of(teacher_client, class_session)
    again = bulk(teacher_client, class_session, reason="other", notes="other")
    assert counts(again.json()) == (0, 2, 0)
    assert snapshot_of(teacher_client, class_session) == before


def test_the_check_in_time_stays_and_its_minutes_count(
    class_session, checked_in, teacher_client
):
    body = bulk(teacher_client, class_session, "mark_late").json()
    assert body["records"][0]["check_in_time"] == checked_in["check_in_time"]
    assert body["records"][0]["late_minutes"] == 0
    assert body["records"][1]["check_in_time"] is None


def test_notes_stay_unless_given(class_session, teacher_client):
    bulk(teacher_client, class_session, notes="keep")
    body = bulk(teacher_client, class_session, "mark_present").json()
    assert {record["notes"] for record in body["records"]} == {"keep"}


def test_the_changed_records_come_in_roster_order(
    class_session, student, student2, teacher_client
):
    ids = [student2.pk, student.pk]
    body = bulk(teacher_client, class_session, student_ids=ids).json()
    names = [record["student_name"] for record in body["records"]]
    assert names == ["Ada Lovelace", "Bela Bartok"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"operation": None}, "operation"),
        ({"operation": "mark_unmarked"}, "operation"),
        ({"operation": "absent"}, "operation"),
        ({"operation": ["mark_absent"]}, "operation"),
        ({"operation": 1}, "operation"),
        ({"student_ids": []}, "student_ids"),
        ({"student_ids": 1}, "student_ids"),
        ({"student_ids": "1"}, "student_ids"),
        ({"student_ids": {"1": 1}}, "student_ids"),
        ({"student_ids": ["1"]}, "student_ids"),
        ({"student_ids": [True]}, "student_ids"),
        ({"student_ids": [1.0]}, "student_ids"),
        ({"student_ids": [None]}, "student_ids"),
        ({"student_ids": [[1]]}, "student_ids"),
        ({"only_unmarked": "true"}, "only_unmarked"),
        ({"only_unmarked": 1}, "only_unmarked"),
        ({"only_unmarked": None}, "only_unmarked"),
        ({"reason": ""}, "reason"),
        ({"reason": " \t"}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": 3}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"notes": ["n"]}, "notes"),
    ],
)
def test_what_makes_no_sense_is_invalid(body, wrong, class_session, teacher_client):
    before = snapshot_of(teacher_client, class_session)
    answer = bulk(teacher_client, class_session, **body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == [wrong]
    assert snapshot_of(teacher_client, class_session) == before


def test_what_is_needed(class_session, teacher_client):
    answer = teacher_client.post(session_path(class_session, "bulk/"), {})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"operation", "reason"}


def test_the_student_keeps_a_teachers_mark(class_session, student, teacher_client):
    bulk(teacher_client, class_session, "mark_absent")
    answer = client_for(student).post(
        f"{API}/check-ins/code/",
        {"verification_code": class_session.verification_code},
    )
    assert answer.status_code == 200
    assert answer.json()["record"]["attendance_status"] == "absent"
