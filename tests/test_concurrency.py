"""What happens at the same instant has one defined outcome: threads on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from rest_framework.response import Response
from rest_framework.test import APIClient

from attendance import selectors
from attendance.links import current_token
from attendance.models import AttendanceRecord, ClassSession, Course, User
from attendance.services.courses import enroll_student, unenroll_student
from attendance.verification import verify_class_session
from tests.cast import client_for, make_session, make_students
from tests.live import Frame, fold

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run all calls at the same moment, each in a thread with its own connection."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def url(class_session: ClassSession, action: str) -> str:
    return f"/api/v1/class-sessions/{class_session.pk}/{action}/"


def check_in(client: APIClient, class_session: ClassSession) -> Callable[[], Response]:
    body = {"verification_code": class_session.verification_code}
    return lambda: client.post("/api/v1/check-ins/code/", body)


def posting(client: APIClient, path: str, body: Any = None) -> Callable[[], Response]:
    return lambda: client.post(path, body or {})


def assert_whole(before: Frame) -> list[Frame]:
    """
    The messages since `before` have no holes, lose no update, and lead to what a
    fresh snapshot shows. Returns them.
    """
    pk = before["class_session"]["id"]
    messages = selectors.messages_after(pk, before["revision"])
    state = fold({}, before)
    for message in messages:
        for change in message["data"].get("records", [message["data"]]):
            if "version" in change:
                known = state["records"].get(change["student_id"], {"version": 0})
                assert change["version"] == known["version"] + 1, "a lost update"
        state = fold(state, message)
    after = fold({}, selectors.snapshot(pk))
    assert state == after
    stored = AttendanceRecord.objects.filter(class_session=pk)
    assert not stored.filter(version=0).exists()
    assert verify_class_session(pk).findings == []
    return messages


def statuses(responses: list[Response]) -> list[int]:
    return sorted(response.status_code for response in responses)


def test_these_tests_run_on_postgresql() -> None:
    assert connection.vendor == "postgresql"


def test_many_students_in_the_same_instant(class_session: ClassSession) -> None:
    students = make_students(class_session.course, 12)
    before = selectors.snapshot(class_session.pk)
    responses = at_once(*(check_in(client_for(s), class_session) for s in students))

    assert statuses(responses) == [201] * 12
    assert len(assert_whole(before)) == 12


def test_the_same_student_twice_at_once(course: Course, student: User) -> None:
    client, other_device = client_for(student), client_for(student)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        responses = at_once(
            check_in(client, class_session),
            check_in(other_device, class_session),
            check_in(client_for(student), class_session),
        )

        assert statuses(responses) == [200, 200, 201]
        (record,) = {str(response.json()["record"]) for response in responses}
        assert len(assert_whole(before)) == 1


def test_an_override_while_the_student_checks_in(
    course: Course, teacher: User, student: User
) -> None:
    """The teacher's mark stands, whoever comes first."""
    by_teacher, by_student = client_for(teacher), client_for(student)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        body = {"student_id": student.pk, "status": "excused", "reason": "ill"}
        override, joined = at_once(
            posting(by_teacher, url(class_session, "override"), body),
            check_in(by_student, class_session),
        )

        assert override.status_code == 200
        assert joined.status_code in (200, 201)
        record = AttendanceRecord.objects.get(class_session=class_session)
        assert record.status == "excused"
        # A check-in that came first is kept as a fact, one that came later is not.
        assert (record.check_in_time is not None) == (joined.status_code == 201)
        assert len(assert_whole(before)) == (2 if joined.status_code == 201 else 1)


def test_two_teachers_with_the_same_version(
    course: Course, teacher: User, co_teacher: User, student: User
) -> None:
    one, other = client_for(teacher), client_for(co_teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        path = url(class_session, "override")
        body = {"student_id": student.pk, "reason": "seen", "version": 0}
        responses = at_once(
            posting(one, path, {**body, "status": "present"}),
            posting(other, path, {**body, "status": "absent"}),
        )

        assert statuses(responses) == [200, 409]
        (winner,) = (r.json() for r in responses if r.status_code == 200)
        (loser,) = (r.json() for r in responses if r.status_code == 409)
        assert loser["code"] == "version_conflict"
        assert loser["record"] == winner
        assert len(assert_whole(before)) == 1


def test_a_close_while_check_ins_are_under_way(course: Course, teacher: User) -> None:
    """Each check-in is either before the closing, or refused after it."""
    students = make_students(course, 6)
    clients = [client_for(student) for student in students]
    by_teacher = client_for(teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        closed, *joined = at_once(
            posting(by_teacher, url(class_session, "close")),
            *(check_in(client, class_session) for client in clients),
        )

        assert closed.status_code == 200
        for student, response in zip(students, joined, strict=True):
            record = AttendanceRecord.objects.get(
                class_session=class_session, student=student
            )
            if response.status_code == 201:
                assert record.status == "present"
            else:
                assert response.json()["code"] in ("invalid_code", "session_not_open")
                assert record.verification_method == "auto_close"
        messages = assert_whole(before)
        assert messages[-1]["data"]["event"] == "closed"


def test_a_close_while_qr_check_ins_are_under_way(
    course: Course, teacher: User
) -> None:
    students = make_students(course, 6)
    clients = [client_for(student) for student in students]
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        body = {"token": current_token(class_session)}
        closed, *joined = at_once(
            posting(client_for(teacher), url(class_session, "close")),
            *(posting(client, "/api/v1/check-ins/qr/", body) for client in clients),
        )

        assert closed.status_code == 200
        refused = [r for r in joined if r.status_code != 201]
        assert all(r.status_code == 409 for r in refused)
        assert {r.json()["code"] for r in refused} <= {"session_not_open"}
        assert_whole(before)


def test_bulk_on_the_unmarked_never_overwrites_a_check_in(
    course: Course, teacher: User
) -> None:
    students = make_students(course, 6)
    clients = [client_for(student) for student in students]
    body = {"operation": "mark_absent", "reason": "not here", "only_unmarked": True}
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        bulk, *joined = at_once(
            posting(client_for(teacher), url(class_session, "bulk"), body),
            *(check_in(client, class_session) for client in clients),
        )

        outcome = bulk.json()
        assert outcome["processed_count"] + outcome["unchanged_count"] == 8
        for student, response in zip(students, joined, strict=True):
            record = AttendanceRecord.objects.get(
                class_session=class_session, student=student
            )
            came_first = response.status_code == 201
            assert record.status == ("present" if came_first else "absent")
        assert_whole(before)


def test_two_bulk_operations_at_once(
    course: Course, teacher: User, co_teacher: User
) -> None:
    make_students(course, 20)
    one, other = client_for(teacher), client_for(co_teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        path = url(class_session, "bulk")
        responses = at_once(
            posting(one, path, {"operation": "mark_present", "reason": "here"}),
            posting(other, path, {"operation": "mark_absent", "reason": "gone"}),
        )

        assert statuses(responses) == [200, 200]
        assert len(assert_whole(before)) == 2


def test_two_closes_and_a_reopen(course: Course, teacher: User) -> None:
    client = client_for(teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        responses = at_once(
            posting(client, url(class_session, "close")),
            posting(client, url(class_session, "close")),
            posting(client, url(class_session, "reopen")),
        )

        assert {response.status_code for response in responses} == {200}
        assert_whole(before)


def test_enrollments_come_and_go_while_students_check_in(
    course: Course, teacher: User, outsider: User
) -> None:
    """The stream stays true: who has a record stays on the roster."""
    client = client_for(outsider)
    for _ in range(ROUNDS):
        enroll_student(course=course, student_id=outsider.pk, actor=teacher)
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        _, joined, _ = at_once(
            lambda: unenroll_student(
                course=course, student_id=outsider.pk, actor=teacher
            ),
            check_in(client, class_session),
            posting(client_for(teacher), url(class_session, "rotate-code")),
        )

        assert joined.status_code in (201, 403, 404)
        assert_whole(before)


def test_an_enrollment_while_the_session_opens_or_closes(
    course: Course, teacher: User, outsider: User
) -> None:
    client = client_for(teacher)
    for _ in range(ROUNDS):
        class_session = make_session(course, open_now=False)
        at_once(
            lambda: enroll_student(
                course=course, student_id=outsider.pk, actor=teacher
            ),
            posting(client, url(class_session, "open")),
        )
        before = selectors.snapshot(class_session.pk)
        at_once(
            lambda: unenroll_student(
                course=course, student_id=outsider.pk, actor=teacher
            ),
            posting(client, url(class_session, "close")),
        )
        assert_whole(before)


def test_a_hundred_guesses_at_once_are_ten(student: User, course: Course) -> None:
    make_session(course)
    client = client_for(student)
    wrong = posting(client, "/api/v1/check-ins/qr/", {"token": "1.1.0.forged"})
    responses = at_once(*[wrong] * 20)

    assert statuses(responses) == [400] * 10 + [429] * 10


def test_codes_of_sessions_opened_at_once_differ(course: Course, teacher: User) -> None:
    client = client_for(teacher)
    body = {"course_id": course.pk, "open": True}
    responses = at_once(*[posting(client, "/api/v1/class-sessions/", body)] * 8)

    assert statuses(responses) == [201] * 8
    assert len({r.json()["verification_code"] for r in responses}) == 8


def test_two_who_enroll_the_same_student(
    course: Course, teacher: User, outsider: User
) -> None:
    class_session = make_session(course)
    before = selectors.snapshot(class_session.pk)
    path = f"/api/v1/courses/{course.pk}/enrollments/"
    client = client_for(teacher)
    responses = at_once(*[posting(client, path, {"student_id": outsider.pk})] * 4)

    assert statuses(responses) == [200, 200, 200, 201]
    assert len(assert_whole(before)) == 1


def test_two_owners_who_remove_each_other(
    course: Course, teacher: User, co_teacher: User
) -> None:
    """A course keeps an owner."""
    path = f"/api/v1/courses/{course.pk}/teachers/"
    body = {"user_id": co_teacher.pk, "role": "owner"}
    assert client_for(teacher).post(path, body).status_code == 200
    responses = at_once(
        lambda: client_for(teacher).delete(f"{path}{co_teacher.pk}/"),
        lambda: client_for(co_teacher).delete(f"{path}{teacher.pk}/"),
    )

    assert 204 in statuses(responses)
    assert course.course_teachers.filter(role="owner").count() == 1
