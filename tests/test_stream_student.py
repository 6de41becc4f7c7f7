"""A student's own stream: the own records and nothing else."""

from __future__ import annotations

import pytest

from attendance.models import ClassSession, User
from attendance.services import class_sessions as sessions
from attendance.services import courses, marking
from attendance.services.check_in import check_in_by_code
from tests.live import open_stream
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


def excuse_all(class_session: ClassSession, teacher: User) -> None:
    marking.mark_in_bulk(
        class_session=class_session,
        actor=teacher,
        operation="mark_excused",
        reason="trip",
    )


def test_it_works(
    site: SiteServer,
    teacher: User,
    student: User,
    student2: User,
    class_session: ClassSession,
) -> None:
    code = class_session.verification_code or ""
    with open_stream(site, "me/", user=student) as stream:
        assert stream.receive() == {"type": "snapshot", "records": []}
        check_in_by_code(student=student2, code=code)
        check_in_by_code(student=student, code=code)
        joined = stream.next()
        assert joined["type"] == "student_joined"
        assert joined["data"]["student_id"] == student.pk

        marking.override_status(
            class_session=class_session,
            actor=teacher,
            student_id=student.pk,
            status="excused",
            reason="ill",
        )
        assert stream.next()["data"]["new_status"] == "excused"

        marking.mark_in_bulk(
            class_session=class_session,
            actor=teacher,
            operation="mark_late",
            reason="storm",
        )
        bulk = stream.next()
        assert bulk["type"] == "attendance_update"
        assert set(bulk["data"]) == {
            *("event", "operation", "operation_id", "reason", "updated_by", "records")
        }
        assert [r["student_id"] for r in bulk["data"]["records"]] == [student.pk]

        assert stream.heartbeat() == {"type": "heartbeat"}
        sessions.rotate_verification_code(class_session=class_session, actor=teacher)
        courses.unenroll_student(
            course=class_session.course, student_id=student2.pk, actor=teacher
        )
        stream.send({"type": "ping"})
        assert stream.receive()["type"] == "heartbeat", "no codes, no session frames"
        stream.send("nonsense")
        assert stream.next()["code"] == "malformed"


def test_closing_reaches_who_did_not_come(
    site: SiteServer,
    teacher: User,
    student: User,
    student2: User,
    class_session: ClassSession,
) -> None:
    with open_stream(site, "me/", user=student) as stream:
        stream.receive()
        sessions.close_class_session(class_session=class_session, actor=teacher)
        message = stream.next()

    assert message["data"]["event"] == "auto_close"
    assert message["data"]["reason"] == "closed"
    (record,) = message["data"]["records"]
    assert record["student_id"] == student.pk
    assert record["attendance_status"] == "absent"
    assert "class_session" not in message["data"]


def test_a_course_joined_later_is_heard(
    site: SiteServer, teacher: User, outsider: User, class_session: ClassSession
) -> None:
    with open_stream(site, "me/", user=outsider) as stream:
        stream.receive()
        courses.enroll_student(
            course=class_session.course, student_id=outsider.pk, actor=teacher
        )
        excuse_all(class_session, teacher)
        message = stream.next()

    assert message["type"] == "attendance_update"
    (record,) = message["data"]["records"]
    assert record["attendance_status"] == "excused"


def test_the_snapshot_holds_the_newest_hundred(
    site: SiteServer, teacher: User, student: User, class_session: ClassSession
) -> None:
    course = class_session.course
    for number in range(101):
        session = sessions.create_class_session(
            course=course, actor=teacher, open_now=True, title=str(number)
        )
        check_in_by_code(student=student, code=session.verification_code or "")
    with open_stream(site, "me/", user=student) as stream:
        records = stream.receive()["records"]

    newest = [record["class_session_id"] for record in records]
    assert len(newest) == 100
    assert newest == sorted(newest, reverse=True)


def test_an_ended_enrollment_still_hears_of_its_records(
    site: SiteServer, teacher: User, student: User, class_session: ClassSession
) -> None:
    check_in_by_code(student=student, code=class_session.verification_code or "")
    courses.unenroll_student(
        course=class_session.course, student_id=student.pk, actor=teacher
    )
    with open_stream(site, "me/", user=student) as stream:
        stream.receive()
        excuse_all(class_session, teacher)
        message = stream.next()

    assert message["type"] == "attendance_update"
    (record,) = message["data"]["records"]
    assert record["attendance_status"] == "excused"
