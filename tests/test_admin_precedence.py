"""The admin's records where sources meet: overruled, outranking, taken back."""

from __future__ import annotations

import pytest
from django.test import Client

from attendance.models import AttendanceRecord, ClassSession, User
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import override_status
from attendance.services.undo import undo_operation
from tests.cast import client_for
from tests.test_admin_records import LIST, page_of, values


@pytest.fixture
def admin_page(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def record(class_session: ClassSession, student: User) -> AttendanceRecord:
    """`student` has checked in by code."""
    check_in_by_code(student=student, code=class_session.verification_code or "")
    return AttendanceRecord.objects.get(student=student)


def test_the_page_shows_what_was_overruled(
    admin_page: Client, record: AttendanceRecord, teacher: User, student: User
) -> None:
    """And whose mark a check-in could not replace."""
    class_session = record.class_session
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="absent",
        reason="Empty seat",
    )
    check_in_by_code(student=student, code=class_session.verification_code or "")
    html = admin_page.get(page_of(record)).content.decode()
    overruled = html[html.index("Overruled, changed nothing") :]
    assert "Ada Lovelace" in overruled
    assert "Present (Code)" in overruled


def test_an_administrators_override_outranks_the_teachers(
    admin_page: Client, record: AttendanceRecord, teacher: User
) -> None:
    assert admin_page.post(page_of(record), values(record)).status_code == 302
    body = {"student_id": record.student_id, "status": "late", "reason": "late"}
    path = f"/api/v1/class-sessions/{record.class_session_id}/override/"
    answer = client_for(teacher).post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "overruled")


def test_a_record_whose_mark_was_taken_back(
    admin_page: Client, class_session: ClassSession, teacher: User, student: User
) -> None:
    outcome = override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="absent",
        reason="Empty seat",
    )
    assert outcome.operation_id
    undo_operation(
        class_session=class_session, actor=teacher, operation_id=outcome.operation_id
    )
    record = AttendanceRecord.objects.get(student=student)
    html = admin_page.get(page_of(record)).content.decode()
    assert "Absent → unmarked (Undone)" in html
    assert admin_page.get(LIST).status_code == 200
    assert admin_page.post(page_of(record), values(record)).status_code == 302
    record.refresh_from_db()
    assert (record.status, record.version) == ("excused", 3)
