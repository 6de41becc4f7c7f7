"""Undo: one operation taken back, for whoever has not been touched since."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from attendance.models import ClassSession
from attendance.services.check_in import check_in_by_code
from tests.cast import (
    API,
    assert_refused,
    client_for,
    course_path,
    make_session,
    messages_of,
    session_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def undo(class_session, teacher_client):
    def undo(operation_id, client=teacher_client, **body):
        path = session_path(class_session, "undo/")
        return client.post(path, {"operation_id": operation_id, **body})

    return undo


@pytest.fixture
def override(class_session, teacher_client):
    """Override somebody; the name of the operation."""

    def override(student, status="absent", reason="seen", client=None, **body):
        answer = (client or teacher_client).post(
            session_path(class_session, "override/"),
            {"student_id": student.pk, "status": status, "reason": reason, **body},
        )
        assert answer.status_code == 200
        return answer["Operation-Id"]

    return override


@pytest.fixture
def bulk(class_session, teacher_client):
    def bulk(operation="mark_excused", **body):
        answer = teacher_client.post(
            session_path(class_session, "bulk/"),
            {"operation": operation, "reason": "trip", **body},
        )
        assert answer.status_code == 200
        return answer["Operation-Id"]

    return bulk


@pytest.fixture
def row(class_session, teacher_client):
    """A student's Record on the roster now."""

    def row(student):
        records = snapshot_of(teacher_client, class_session)["records"]
        return next(r for r in records if r["student_id"] == student.pk)

    return row


def check_in(client, class_session):
    code = ClassSession.objects.get(pk=class_session.pk).verification_code
    answer = client.post(f"{API}/check-ins/code/", {"verification_code": code})
    assert answer.status_code == 201


def test_it_works(
    undo, override, row, class_session, student, student_client, teacher, teacher_client
):
    check_in(student_client, class_session)
    before = row(student)
    operation_id = override(student, notes="by the door")
    answer = undo(operation_id, reason="wrong row")

    assert answer.status_code == 200
    restored = {**before, "version": 3}
    undo_id = answer["Operation-Id"]
    assert answer.json() == {
        "operation_id": undo_id,
        "undone_operation_id": operation_id,
        "restored_count": 1,
        "not_restored_count": 0,
        "restored": [restored],
        "not_restored": [],
    }
    assert row(student) == restored
    message = messages_of(teacher_client, class_session)[-1]
    assert message["type"] == "attendance_update"
    data = message["data"]
    (changed,) = data.pop("records")
    assert data == {
        "event": "undo",
        "operation": "undo",
        "operation_id": undo_id,
        "undone_operation_id": operation_id,
        "processed_count": 1,
        "unchanged_count": 0,
        "failed_count": 0,
        "reason": "wrong row",
        "updated_by": {"id": teacher.pk, "name": "Tilda Owner"},
    }
    assert (changed["old_status"], changed["attendance_status"]) == (
        "absent",
        "present",
    )


def test_back_to_unmarked(undo, override, row, class_session, student, teacher_client):
    counts = session_of(teacher_client, class_session)["counts"]
    undo(override(student))
    record = row(student)
    assert (record["attendance_status"], record["version"]) == ("unmarked", 2)
    assert record["verification_method"] is None
    assert record["override_reason"] is None
    assert session_of(teacher_client, class_session)["counts"] == counts
    # There is nothing to show in a list of marks.
    assert teacher_client.get(f"{API}/attendance/").json()["count"] == 0


def test_a_mark_taken_back_is_no_mark(
    undo, override, row, class_session, student, student_client
):
    """Whoever is unmarked again checks in like anyone else."""
    undo(override(student))
    check_in(student_client, class_session)
    record = row(student)
    assert (record["attendance_status"], record["version"]) == ("present", 3)


def test_a_mark_taken_back_is_closed_like_any(
    undo, override, row, class_session, student, student2, teacher_client
):
    """In the one message with those who never had a mark, in roster order."""
    undo(override(student, "present"))
    teacher_client.post(session_path(class_session, "close/"))
    record = row(student)
    assert record["attendance_status"] == "absent"
    assert record["verification_method"] == "auto_close"
    absent = messages_of(teacher_client, class_session)[-2]["data"]["records"]
    assert [(told["student_id"], told["version"]) for told in absent] == [
        (student.pk, 3),
        (student2.pk, 1),
    ]


def test_a_mark_taken_back_is_still_unmarked_for_a_bulk(
    undo, override, bulk, row, student, student2
):
    undo(override(student))
    bulk(only_unmarked=True)
    assert row(student)["attendance_status"] == "excused"
    assert row(student2)["attendance_status"] == "excused"


def test_in_a_closed_session_the_roster_stays_whole(
    undo, override, class_session, outsider, course, teacher_client
):
    teacher_client.post(
        course_path(course, "enrollments/"), {"student_id": outsider.pk}
    )
    operation_id = override(outsider)
    teacher_client.delete(course_path(course, f"enrollments/{outsider.pk}/"))
    teacher_client.post(session_path(class_session, "close/"))
    undo(operation_id)
    snapshot = snapshot_of(teacher_client, class_session)
    assert [r["attendance_status"] for r in snapshot["records"]] == [
        "absent",
        "absent",
        "unmarked",
    ]
    counts = session_of(teacher_client, class_session)["counts"]
    assert counts == snapshot["class_session"]["counts"]
    assert (counts["enrolled"], counts["unmarked"], counts["absent"]) == (3, 1, 2)


def test_of_many_only_those_untouched_since(
    undo, override, bulk, row, class_session, student, student2, teacher_client
):
    operation_id = bulk()
    override(student2, "late", "came after all")
    revision = session_of(teacher_client, class_session)["revision"]
    answer = undo(operation_id).json()
    assert [r["student_id"] for r in answer["restored"]] == [student.pk]
    (left,) = answer["not_restored"]
    assert left.pop("detail")
    assert left == {
        "student_id": student2.pk,
        "code": "version_conflict",
        "record": row(student2),
    }
    assert row(student)["attendance_status"] == "unmarked"
    assert row(student2)["attendance_status"] == "late"
    assert session_of(teacher_client, class_session)["revision"] == revision + 1


def test_a_check_in_that_the_mark_overruled_counts_again(
    undo, bulk, row, class_session, student, student_client, teacher_client
):
    """Absent by mistake, then the student checks in, then the mistake is undone."""
    operation_id = bulk("mark_absent")
    body = {"verification_code": class_session.verification_code}
    student_client.post(f"{API}/check-ins/code/", body)
    path = session_path(class_session, "conflicts/")
    (conflict,) = teacher_client.get(path).json()["results"]
    assert undo(operation_id).json()["not_restored"] == []
    record = row(student)
    assert record["attendance_status"] == "present"
    assert record["verification_method"] == "verification_code"
    assert record["check_in_time"] == conflict["overruled"]["timestamp"]
    assert not record["is_manual_override"]
    assert teacher_client.get(path).json()["count"] == 0


def test_of_two_check_ins_the_first_one_counts_again(
    undo, override, row, class_session, student
):
    """On time, then marked absent by mistake, then scanned once more: on time."""
    code, starts_at = class_session.verification_code, class_session.starts_at
    check_in_by_code(student=student, code=code, at=starts_at)
    before = row(student)
    operation_id = override(student, "absent")
    later = starts_at + timedelta(minutes=20)
    check_in_by_code(student=student, code=code, at=later)
    undo(operation_id)
    assert row(student) == {**before, "version": 3}


def test_a_teacher_cannot_bring_back_an_administrators_mark(
    undo, override, row, student, admin
):
    override(student, "late")
    by_admin = client_for(admin)
    undone = undo(override(student, "excused", "ill", client=by_admin), by_admin)
    (left,) = undo(undone["Operation-Id"]).json()["not_restored"]
    assert left["code"] == "overruled"
    assert row(student)["attendance_status"] == "late"


def test_an_undo_can_be_undone(undo, override, row, student):
    taken_back = undo(override(student, "excused", "ill"))
    assert undo(taken_back["Operation-Id"]).status_code == 200
    record = row(student)
    assert (record["attendance_status"], record["override_reason"]) == (
        "excused",
        "ill",
    )


def test_one_after_the_other_back_to_the_beginning(
    undo, override, bulk, row, class_session, student, student_client
):
    check_in(student_client, class_session)
    before = row(student)
    operations = [override(student, "late"), bulk(), override(student, "absent", "x")]
    for operation_id in reversed(operations):
        assert undo(operation_id).json()["not_restored"] == []
    assert row(student) == {**before, "version": 7}


def test_not_over_somebody_elses_change_in_between(undo, override, row, student):
    """Undoing the later one does not make up for a change between the two."""
    first = override(student, "late")
    override(student, "excused", "ill")
    last = override(student, "absent", "x")
    undo(last)
    (left,) = undo(first).json()["not_restored"]
    assert left["code"] == "version_conflict"
    assert row(student)["attendance_status"] == "excused"


def test_the_history_shows_it(undo, override, row, student, teacher_client):
    undo(override(student, "late", "bus"), reason="wrong student")
    path = f"{API}/attendance/{row(student)['id']}/history/"
    changes = teacher_client.get(path).json()["results"]
    assert [
        (c["old_status"], c["new_status"], c["reason"], c["verification_method"])
        for c in changes
    ] == [
        ("unmarked", "late", "bus", "teacher_override"),
        ("late", "unmarked", "wrong student", None),
    ]


def test_a_colleague_may(undo, override, student, co_teacher):
    assert undo(override(student), client_for(co_teacher)).status_code == 200


# Refusals -------------------------------------------------------------------------


def test_twice(undo, override, student, class_session, teacher_client):
    operation_id = override(student)
    undo(operation_id)
    revision = session_of(teacher_client, class_session)["revision"]
    assert_refused(undo(operation_id), 409, "already_undone")
    assert session_of(teacher_client, class_session)["revision"] == revision


def test_when_all_have_been_touched_nothing_changes(
    undo, override, student, class_session, teacher_client
):
    operation_id = override(student)
    override(student, "late", "second look")
    revision = session_of(teacher_client, class_session)["revision"]
    answer = undo(operation_id)
    assert answer.status_code == 200
    assert "Operation-Id" not in answer
    assert answer.json()["operation_id"] is None
    assert (answer.json()["restored_count"], answer.json()["not_restored_count"]) == (
        0,
        1,
    )
    assert session_of(teacher_client, class_session)["revision"] == revision


def test_an_administrators_mark(undo, override, row, student, admin):
    operation_id = override(student, client=client_for(admin))
    (left,) = undo(operation_id).json()["not_restored"]
    assert left["code"] == "overruled"
    assert row(student)["attendance_status"] == "absent"
    assert undo(operation_id, client_for(admin)).json()["restored_count"] == 1


def test_a_closing(undo, class_session, teacher_client):
    teacher_client.post(session_path(class_session, "close/"))
    (closing,) = [
        message["data"]
        for message in messages_of(teacher_client, class_session)
        if message["data"]["event"] == "auto_close"
    ]
    assert_refused(undo(closing["operation_id"]), 409, "not_undoable")


def test_after_the_edit_window(undo, override, student, settings):
    settings.EDIT_WINDOW = timedelta(days=-1)
    operation_id = override(student)
    assert_refused(undo(operation_id), 409, "edit_window_closed")


def test_the_edit_window_of_an_old_session_counts_from_the_change(
    course, student, teacher_client
):
    long_ago = timezone.now() - timedelta(days=100)
    session = make_session(
        course, starts_at=long_ago, ends_at=long_ago + timedelta(hours=1)
    )
    body = {"student_id": student.pk, "status": "absent", "reason": "found out"}
    operation_id = teacher_client.post(session_path(session, "override/"), body)[
        "Operation-Id"
    ]
    path = session_path(session, "undo/")
    answer = teacher_client.post(path, {"operation_id": operation_id})
    assert answer.json()["restored_count"] == 1


def test_an_unknown_operation(undo):
    assert_refused(undo(str(uuid.uuid4())), 404, "not_found")


def test_an_operation_of_another_class_session(
    undo, override, course, student, teacher_client
):
    other = make_session(course)
    path = session_path(other, "undo/")
    body = {"operation_id": override(student)}
    assert_refused(teacher_client.post(path, body), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "operation_id"),
        ({"operation_id": None}, "operation_id"),
        ({"operation_id": 7}, "operation_id"),
        ({"operation_id": "seven"}, "operation_id"),
        ({"operation_id": str(uuid.uuid4()), "reason": ""}, "reason"),
        ({"operation_id": str(uuid.uuid4()), "reason": "x" * 501}, "reason"),
        ({"operation_id": str(uuid.uuid4()), "reason": 5}, "reason"),
    ],
)
def test_bad_input(body, field, class_session, teacher_client):
    answer = teacher_client.post(session_path(class_session, "undo/"), body)
    assert list(assert_refused(answer, 400, "invalid")["errors"]) == [field]
