"""Undo, settlement and precedence in the same instant as whatever else happens."""

from __future__ import annotations

import pytest

from attendance import selectors
from attendance.models import (
    AttendanceRecord,
    ClassSession,
    Course,
    OverruledMark,
    User,
)
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import mark_in_bulk, override_status
from tests.cast import client_for, make_session, make_students
from tests.test_concurrency import (
    ROUNDS,
    assert_whole,
    at_once,
    check_in,
    posting,
    statuses,
    url,
)

pytestmark = pytest.mark.django_db(transaction=True)


def excuse_all(class_session: ClassSession, teacher: User) -> dict[str, str]:
    """Mark everybody; what to send to take that back."""
    outcome = mark_in_bulk(
        class_session=class_session,
        actor=teacher,
        operation="mark_excused",
        reason="trip",
    )
    return {"operation_id": outcome.operation_id}


def test_two_teachers_undo_the_same(
    course: Course, teacher: User, co_teacher: User
) -> None:
    one, other = client_for(teacher), client_for(co_teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        body = excuse_all(class_session, teacher)
        before = selectors.snapshot(class_session.pk)
        path = url(class_session, "undo")
        responses = at_once(posting(one, path, body), posting(other, path, body))
        assert statuses(responses) == [200, 409]
        assert len(assert_whole(before)) == 1


def test_an_undo_while_a_colleague_overrides(
    course: Course, teacher: User, co_teacher: User, student: User
) -> None:
    """Whoever comes first: the override stands."""
    one, other = client_for(teacher), client_for(co_teacher)
    late = {"student_id": student.pk, "status": "late", "reason": "came after all"}
    for _ in range(ROUNDS):
        class_session = make_session(course)
        body = excuse_all(class_session, teacher)
        before = selectors.snapshot(class_session.pk)
        undone, overridden = at_once(
            posting(one, url(class_session, "undo"), body),
            posting(other, url(class_session, "override"), late),
        )
        assert statuses([undone, overridden]) == [200, 200]
        record = AttendanceRecord.objects.get(
            class_session=class_session, student=student
        )
        assert record.status == "late"
        left = [s["student_id"] for s in undone.json()["not_restored"]]
        assert left in ([], [student.pk])
        assert record.version == (2 if left else 3)
        assert len(assert_whole(before)) == 2


def test_an_undo_while_the_class_is_closed(course: Course, teacher: User) -> None:
    make_students(course, 6)
    client = client_for(teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        body = excuse_all(class_session, teacher)
        before = selectors.snapshot(class_session.pk)
        responses = at_once(
            posting(client, url(class_session, "undo"), body),
            posting(client, url(class_session, "close")),
        )
        assert statuses(responses) == [200, 200]
        assert_whole(before)
        kinds = [
            message["data"]["event"]
            for message in selectors.messages_after(
                class_session.pk, before["revision"]
            )
        ]
        found = set(
            AttendanceRecord.objects.filter(class_session=class_session).values_list(
                "status", flat=True
            )
        )
        # Undone first, the closing finds them unmarked; closed first, it did not.
        undone_first = kinds.index("undo") < kinds.index("closed")
        assert found == ({"absent"} if undone_first else {"unmarked"})


def test_a_check_in_while_the_mark_is_taken_back(
    course: Course, teacher: User, student: User
) -> None:
    """Whoever comes first, the check-in counts: with the mark or without it."""
    by_teacher, by_student = client_for(teacher), client_for(student)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        body = excuse_all(class_session, teacher)
        before = selectors.snapshot(class_session.pk)
        undone, joined = at_once(
            posting(by_teacher, url(class_session, "undo"), body),
            check_in(by_student, class_session),
        )
        assert undone.status_code == 200
        record = AttendanceRecord.objects.get(
            class_session=class_session, student=student
        )
        assert joined.status_code in (200, 201)
        assert (record.status, record.source) == ("present", "student")
        assert_whole(before)


def test_two_teachers_settle_the_same_conflict(
    course: Course, teacher: User, co_teacher: User, student: User
) -> None:
    one, other = client_for(teacher), client_for(co_teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        override_status(
            class_session=class_session,
            actor=teacher,
            student_id=student.pk,
            status="absent",
            reason="x",
        )
        check_in_by_code(student=student, code=class_session.verification_code or "")
        before = selectors.snapshot(class_session.pk)
        path = url(class_session, "settle")
        body = {"student_id": student.pk, "version": 1}
        responses = at_once(
            posting(one, path, {**body, "accept": True}),
            posting(other, path, {**body, "accept": False}),
        )
        assert statuses(responses) == [200, 409]
        assert len(assert_whole(before)) == 1


def test_a_teacher_and_an_administrator_at_once(
    course: Course, teacher: User, admin: User, student: User
) -> None:
    """The administrator's mark stands, whoever comes first."""
    weak, strong = client_for(teacher), client_for(admin)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        path = url(class_session, "override")
        body = {"student_id": student.pk, "reason": "x"}
        by_teacher, by_admin = at_once(
            posting(weak, path, {**body, "status": "absent"}),
            posting(strong, path, {**body, "status": "excused"}),
        )
        assert by_admin.status_code == 200
        assert by_teacher.status_code in (200, 409)
        record = AttendanceRecord.objects.get(class_session=class_session)
        assert (record.status, record.source) == ("excused", "administrator")
        assert_whole(before)


def test_a_student_who_insists_from_two_devices(
    course: Course, teacher: User, student: User
) -> None:
    for _ in range(ROUNDS):
        class_session = make_session(course)
        override_status(
            class_session=class_session,
            actor=teacher,
            student_id=student.pk,
            status="absent",
            reason="x",
        )
        devices = [client_for(student) for _ in range(3)]
        responses = at_once(*(check_in(device, class_session) for device in devices))
        assert statuses(responses) == [200, 200, 200]
        assert OverruledMark.objects.filter(class_session=class_session).count() == 1
