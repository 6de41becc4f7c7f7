"""The admin's attendance records: overrides with a reason, through the service."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Course,
    User,
)
from attendance.services.check_in import check_in_by_code
from attendance.services.class_sessions import close_class_session
from attendance.services.marking import override_status

from .cast import client_for, make_session, make_students, make_user

LIST = "/admin/attendance/attendancerecord/"


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


def page_of(record: AttendanceRecord) -> str:
    return f"{LIST}{record.pk}/change/"


def values(record: AttendanceRecord, **changes: Any) -> dict[str, Any]:
    """What the change form sends."""
    sent = {
        "status": "excused",
        "reason": "Doctor's note.",
        "notes": "",
        "seen_version": record.version,
    }
    return {**sent, **changes}


def action(records: list[AttendanceRecord], **fields: Any) -> dict[str, Any]:
    """What the list and the page behind its action send."""
    return {
        "action": "override_selected",
        ACTION_CHECKBOX_NAME: [record.pk for record in records],
        **fields,
    }


def events_of(class_session: ClassSession) -> list[AttendanceEvent]:
    return list(class_session.events.order_by("revision"))


# One record -----------------------------------------------------------------------


def test_override_works(
    admin_page: Client,
    admin: User,
    record: AttendanceRecord,
    class_session: ClassSession,
    teacher: User,
) -> None:
    page = admin_page.post(page_of(record), values(record, notes="In the folder."))
    assert (page.status_code, page["Location"]) == (302, LIST)

    api = client_for(teacher)
    (row,) = api.get(f"/api/v1/attendance/?student={record.student_id}").json()[
        "results"
    ]
    assert (row["attendance_status"], row["override_reason"], row["notes"]) == (
        *("excused", "Doctor's note.", "In the folder."),
    )
    assert (row["is_manual_override"], row["version"]) == (True, 2)
    assert row["check_in_time"] is not None
    changes = api.get(f"/api/v1/attendance/{record.pk}/history/").json()
    newest = changes["results"][-1]
    assert newest["actor"] == {"id": admin.pk, "name": admin.name}
    assert (newest["old_status"], newest["new_status"], newest["reason"]) == (
        *("present", "excused", "Doctor's note."),
    )
    event = events_of(class_session)[-1]
    assert (event.type, event.actor, event.student) == (
        *("attendance_update", admin, record.student),
    )
    class_session.refresh_from_db()
    assert class_session.revision == event.revision == 3


def test_override_is_published_once(
    admin_page: Client,
    record: AttendanceRecord,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    submitted: list[Any] = []
    monkeypatch.setattr("attendance.events.publisher.submit", submitted.append)
    with django_capture_on_commit_callbacks(execute=True):
        admin_page.post(page_of(record), values(record))
    groups = [publication.group for publication in submitted]
    assert groups == [
        f"class-session.{record.class_session_id}",
        f"student.{record.student_id}",
    ]


def test_the_page_shows_the_record_and_its_history(
    admin_page: Client, record: AttendanceRecord, teacher: User
) -> None:
    override_status(
        class_session=record.class_session,
        actor=teacher,
        student_id=record.student_id,
        status="late",
        reason="Came <late>",
    )
    html = admin_page.get(page_of(record)).content.decode()
    assert "Came &lt;late&gt;" in html and "Came <late>" not in html
    assert "Present → Late (Set by teacher)" in html
    assert teacher.name in html
    assert 'name="seen_version" value="2"' in html
    for name in ("check_in_time", "student", "class_session", "version"):
        assert f'name="{name}"' not in html


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"notes": "x" * 2001}, "notes"),
        ({"status": "unmarked"}, "status"),
        ({"status": ""}, "status"),
        ({"seen_version": "x"}, "seen_version"),
        ({"seen_version": ""}, "seen_version"),
    ],
)
def test_what_makes_no_sense_is_an_error_of_its_field(
    admin_page: Client,
    record: AttendanceRecord,
    changes: dict[str, Any],
    field: str,
) -> None:
    page = admin_page.post(page_of(record), values(record, **changes))
    assert page.status_code == 200
    assert field in page.context["adminform"].form.errors
    assert_unchanged(record)


def assert_unchanged(record: AttendanceRecord, version: int = 1) -> None:
    now = AttendanceRecord.objects.get(pk=record.pk)
    assert now.version == version
    assert not AttendanceEvent.objects.filter(data__reason="Doctor's note.").exists()


def test_a_record_that_changed_meanwhile_is_not_overwritten(
    admin_page: Client, record: AttendanceRecord, teacher: User
) -> None:
    override_status(
        class_session=record.class_session,
        actor=teacher,
        student_id=record.student_id,
        status="late",
        reason="Came late.",
    )
    page = admin_page.post(page_of(record), values(record))

    assert page.status_code == 200
    assert "has changed since you saw it" in page.content.decode()
    assert_unchanged(record, version=2)
    # Sent again it conflicts again: only loading the page anew shows what changed.
    again = page.context["adminform"].form["seen_version"].value()
    assert str(again) == "1"


def test_a_record_of_somebody_who_left_can_be_overridden(
    admin_page: Client, record: AttendanceRecord, teacher: User
) -> None:
    close_class_session(class_session=record.class_session, actor=teacher)
    record.class_session.course.enrollments.all().delete()
    assert admin_page.post(page_of(record), values(record)).status_code == 302
    record.refresh_from_db()
    assert record.status == "excused"


def test_facts_cannot_be_sent_along(
    admin_page: Client, record: AttendanceRecord, student2: User
) -> None:
    before = record.check_in_time
    admin_page.post(
        page_of(record),
        values(
            record, student=student2.pk, version=99, late_minutes=7, override_reason="-"
        ),
    )
    record.refresh_from_db()
    assert (record.student_id == student2.pk, record.version) == (False, 2)
    assert (record.check_in_time, record.late_minutes) == (before, 0)
    assert record.override_reason == "Doctor's note."


def test_records_are_not_added_or_deleted(
    admin_page: Client, record: AttendanceRecord
) -> None:
    assert admin_page.get(f"{LIST}add/").status_code == 403
    assert admin_page.post(f"{LIST}add/", {}).status_code == 403
    assert (
        admin_page.post(f"{LIST}{record.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    page = admin_page.post(LIST, {**action([record]), "action": "delete_selected"})
    assert AttendanceRecord.objects.filter(pk=record.pk).exists()
    assert b"delete_selected" not in admin_page.get(LIST).content
    assert page.status_code in (200, 302)


# Many records ---------------------------------------------------------------------


@pytest.fixture
def records(course: Course, teacher: User) -> list[AttendanceRecord]:
    """Three students, absent in two closed class sessions."""
    make_students(course, 1)
    for title in ("Monday", "Tuesday"):
        session = make_session(course, title=title)
        close_class_session(class_session=session, actor=teacher)
    return list(AttendanceRecord.objects.order_by("pk"))


def test_the_action_asks_first(
    admin_page: Client, records: list[AttendanceRecord]
) -> None:
    page = admin_page.post(LIST, action(records))
    html = page.content.decode()
    assert page.status_code == 200
    assert "6 records" in html and "Override attendance" in html
    assert set(AttendanceRecord.objects.values_list("version", flat=True)) == {1}


def test_the_action_marks_all_with_one_message_per_class_session(
    admin_page: Client, admin: User, records: list[AttendanceRecord], teacher: User
) -> None:
    page = admin_page.post(
        LIST,
        action(records, apply="1", status="excused", reason="Bus on strike.", notes=""),
        follow=True,
    )
    assert "6 records overridden, 0 left as they were." in page.content.decode()
    assert set(AttendanceRecord.objects.values_list("status", flat=True)) == {"excused"}
    for session in ClassSession.objects.all():
        event = events_of(session)[-1]
        assert (event.revision, session.revision) == (4, 4)
        assert (event.actor, event.data["event"]) == (admin, "bulk")
        assert event.data["processed_count"] == 3
    history = (
        client_for(teacher).get(f"/api/v1/attendance/{records[0].pk}/history/").json()
    )
    newest = history["results"][-1]
    assert (newest["reason"], newest["actor"]["id"]) == ("Bus on strike.", admin.pk)


def test_the_action_leaves_notes_alone_unless_given(
    admin_page: Client, records: list[AttendanceRecord], admin: User
) -> None:
    override_status(
        class_session=records[0].class_session,
        actor=admin,
        student_id=records[0].student_id,
        status="late",
        reason="-",
        notes="Kept.",
    )
    sent = {"apply": "1", "status": "present", "reason": "All here."}
    admin_page.post(LIST, action(records, **sent, notes=""))
    assert AttendanceRecord.objects.get(pk=records[0].pk).notes == "Kept."
    sent["status"] = "absent"
    admin_page.post(LIST, action(records, **sent, notes="New."))
    assert AttendanceRecord.objects.get(pk=records[0].pk).notes == "New."


def test_the_action_on_everything_that_the_list_shows(
    admin_page: Client, records: list[AttendanceRecord]
) -> None:
    asked = admin_page.post(
        f"{LIST}?status__exact=absent", action(records[:1], select_across="1")
    )
    assert b"6 records" in asked.content
    assert b'name="select_across" value="1"' in asked.content
    admin_page.post(
        f"{LIST}?status__exact=absent",
        action(records[:1], select_across="1", apply="1", status="late", reason="Fog."),
    )
    assert AttendanceRecord.objects.filter(status="late").count() == 6


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "excused", "reason": "  "},
        {"status": "excused", "reason": "x" * 501},
        {"status": "unmarked", "reason": "Why not."},
        {},
    ],
)
def test_the_action_wants_a_status_and_a_reason(
    admin_page: Client, records: list[AttendanceRecord], fields: dict[str, Any]
) -> None:
    page = admin_page.post(LIST, action(records, apply="1", **fields))
    assert page.status_code == 200
    assert page.context["form"].errors
    assert set(AttendanceRecord.objects.values_list("version", flat=True)) == {1}


# Who may --------------------------------------------------------------------------


def staff_with(*permissions: str) -> Client:
    user = make_user("clerk", "Clara Clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_who_may_only_look_sees_the_record_and_no_form(
    record: AttendanceRecord,
) -> None:
    client = staff_with("view_attendancerecord")
    page = client.get(page_of(record))
    assert page.status_code == 200
    assert b'name="reason"' not in page.content
    assert b"unmarked" in page.content, "the history"
    assert client.post(page_of(record), values(record)).status_code == 403
    client.post(LIST, action([record], apply="1", status="late", reason="Fog."))
    assert_unchanged(record)


def test_who_has_no_permission_or_is_no_staff_gets_nothing(
    record: AttendanceRecord, teacher: User
) -> None:
    assert staff_with().get(page_of(record)).status_code == 403
    client = Client()
    client.force_login(teacher)
    for response in (client.get(page_of(record)), client.post(page_of(record))):
        assert response.status_code == 302
        assert "/admin/login/" in response["Location"]


def test_with_the_permission_to_change_a_clerk_overrides(
    record: AttendanceRecord,
) -> None:
    client = staff_with("change_attendancerecord")
    assert client.post(page_of(record), values(record)).status_code == 302
    event = events_of(record.class_session)[-1]
    assert event.actor is not None and event.actor.username == "clerk"
