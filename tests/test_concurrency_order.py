"""Locks are taken in one order; what an old session was judged by is judged anew."""

from __future__ import annotations

import functools
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from attendance import selectors
from attendance.models import AttendanceRecord, ClassSession, Course, User
from attendance.services.check_in import check_in_by_code
from attendance.services.class_sessions import edit_class_session
from attendance.services.marking import mark_in_bulk
from tests.cast import client_for, make_session, make_students
from tests.test_concurrency import ROUNDS, assert_whole, at_once, check_in, posting, url

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until_blocked(number: int) -> None:
    """Until so many connections of this database wait for a lock."""
    for _ in range(2000):
        with connection.cursor() as cursor:
            # The view is otherwise read once a transaction.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= number:
                return
        threading.Event().wait(0.005)
    raise AssertionError("nobody waits")


def test_bulks_on_marked_and_unmarked_students_do_not_lock_each_other_out(
    course: Course, teacher: User, student: User, student2: User
) -> None:
    """
    Two bulks see different students unmarked, as check-ins come in between: both want
    all rows, and must come to them in the same order.
    """
    (student3,) = make_students(course, 1)
    assert student.pk < student2.pk < student3.pk
    class_session = make_session(course)
    code = class_session.verification_code or ""
    check_in_by_code(student=student2, code=code)
    before = selectors.snapshot(class_session.pk)
    first_is_in, third_is_in = threading.Event(), threading.Event()

    def bulk(operation: str) -> None:
        mark_in_bulk(
            class_session=class_session,
            actor=teacher,
            operation=operation,
            reason="storm",
        )

    def check_in_first() -> None:
        with transaction.atomic():
            check_in_by_code(student=student, code=code)
            first_is_in.set()
            # The third student waits for the session, the first bulk for this row.
            wait_until_blocked(2)

    def check_in_third() -> None:
        first_is_in.wait()
        with transaction.atomic():
            check_in_by_code(student=student3, code=code)
            third_is_in.set()
            # Both bulks wait: the first for this row, the second for whatever comes
            # first in its order.
            wait_until_blocked(2)

    def bulk_before() -> None:
        first_is_in.wait()
        bulk("mark_absent")

    def bulk_after() -> None:
        third_is_in.wait()
        bulk("mark_excused")

    at_once(check_in_first, check_in_third, bulk_before, bulk_after)
    assert len(assert_whole(before)) == 4


def test_an_edit_while_students_check_in(course: Course, teacher: User) -> None:
    """Nobody is judged by settings that the stream says are gone."""
    students = make_students(course, 4)
    clients = [client_for(student) for student in students]
    earlier = {
        "starts_at": timezone.now() - timedelta(minutes=30),
        "allow_late_check_in": False,
    }
    for _ in range(ROUNDS):
        class_session = make_session(course)
        before = selectors.snapshot(class_session.pk)
        edit = functools.partial(
            edit_class_session, class_session=class_session, actor=teacher, **earlier
        )
        at_once(
            *(check_in(client, class_session) for client in clients[:2]),
            edit,
            *(check_in(client, class_session) for client in clients[2:]),
        )
        kinds = [message["type"] for message in assert_whole(before)]
        edited = kinds.index("session_update")
        assert "student_joined" not in kinds[edited:]


def test_polling_never_skips_what_is_committed_meanwhile(
    course: Course, teacher: User
) -> None:
    """`has_more` false means that nothing up to `revision` is missing."""
    students = make_students(course, 40)
    class_session = make_session(course)
    code = class_session.verification_code or ""
    poller = client_for(teacher)

    def write() -> None:
        for student in students:
            check_in_by_code(student=student, code=code)

    def poll() -> list[int]:
        known, seen = 1, []
        while known < 41:
            path = url(class_session, "events") + f"?after={known}"
            page = poller.get(path).json()
            seen += [event["revision"] for event in page["events"]]
            if not page["has_more"]:
                known = page["revision"]
            elif page["events"]:
                known = page["events"][-1]["revision"]
        return seen

    _, seen = at_once(write, poll)
    assert seen == list(range(2, 42))


def test_a_claim_that_is_given_up_leaves_nothing(
    class_session: ClassSession, teacher: User, student: User
) -> None:
    client = client_for(teacher)
    body = {"student_id": student.pk, "status": "absent", "reason": "x", "version": 7}
    answer = posting(client, url(class_session, "override"), body)()

    assert answer.status_code == 409
    assert not AttendanceRecord.objects.filter(class_session=class_session).exists()
