"""What the database itself refuses, whoever writes into it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    CourseTeacher,
    Enrollment,
)
from tests.cast import make_session

pytestmark = pytest.mark.django_db


def assert_refused_by(constraint, write, *arguments, **fields):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        write(*arguments, **fields)


@pytest.fixture
def record(class_session, student):
    return AttendanceRecord.objects.create(
        class_session=class_session,
        student=student,
        status="present",
        verification_method="qr_code",
        source="student",
        version=1,
    )


def test_a_second_record_of_the_same_student(record):
    record.pk = None
    assert_refused_by("record_once_per_student", record.save, force_insert=True)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"status": "unmarked"}, "record_method_unless_unmarked"),
        ({"verification_method": None}, "record_(method|source)"),
        ({"source": "teacher"}, "record_source_fits_method"),
        ({"source": "automatic"}, "record_source_fits_method"),
        ({"source": "rumour"}, "record_source_fits_method"),
        ({"status": ""}, "record_status_known"),
        ({"verification_method": "guessed"}, "record_method_known"),
        ({"late_minutes": 5}, "record_minutes_only_when_late"),
        ({"late_minutes": -1, "status": "late"}, "late_minutes"),
        ({"version": -1}, "version"),
        ({"override_reason": "ill"}, "record_reason_with_override"),
        (
            {"verification_method": "teacher_override", "source": "teacher"},
            "record_reason_with_override",
        ),
    ],
)
def test_records(fields, constraint, record):
    rows = AttendanceRecord.objects.filter(pk=record.pk)
    assert_refused_by(constraint, rows.update, **fields)


def test_two_open_sessions_with_the_same_code(course, class_session):
    other = ClassSession.objects.filter(pk=make_session(course).pk)
    code = class_session.verification_code
    assert_refused_by("class_session_code_once", other.update, verification_code=code)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        (
            {"state": "paused", "verification_code": None},
            "class_session_state_known",
        ),
        ({"state": "closed"}, "class_session_code_while_open"),
        ({"verification_code": None}, "class_session_code_while_open"),
        ({"verification_code": "12345"}, "class_session_code_six_digits"),
        ({"verification_code": "12345x"}, "class_session_code_six_digits"),
        ({"verification_code": "12345\n"}, "class_session_code_six_digits"),
        ({"verification_code": "١٢٣٤٥٦"}, "class_session_code_six_digits"),
        ({"late_cutoff_minutes": 4}, "class_session_cutoff_not_below_grace"),
        ({"grace_minutes": 24 * 60 + 1}, "class_session_minutes_in_bounds"),
        ({"early_minutes": 24 * 60 + 1}, "class_session_minutes_in_bounds"),
        ({"grace_minutes": -1}, "grace_minutes"),
        ({"revision": -1}, "revision"),
    ],
)
def test_class_sessions(fields, constraint, class_session):
    rows = ClassSession.objects.filter(pk=class_session.pk)
    assert_refused_by(constraint, rows.update, **fields)


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_session_that_ends_before_it_starts(seconds, class_session):
    rows = ClassSession.objects.filter(pk=class_session.pk)
    ends_at = class_session.starts_at - timedelta(seconds=seconds)
    assert_refused_by("class_session_ends_after_start", rows.update, ends_at=ends_at)


def test_two_messages_of_the_same_revision(class_session):
    event = AttendanceEvent.objects.get(class_session=class_session)
    event.pk = None
    assert_refused_by("event_revision_once", event.save, force_insert=True)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"type": "gossip"}, "event_type_known"),
        ({"source": "rumour"}, "event_source_known"),
        ({"hash": ""}, "event_sealed"),
        ({"hash": "A" * 64}, "event_sealed"),
    ],
)
def test_a_message_that_cannot_be(fields, constraint, class_session):
    event = AttendanceEvent.objects.get(class_session=class_session)
    event.pk, event.revision = None, 2
    for name, value in fields.items():
        setattr(event, name, value)
    assert_refused_by(constraint, event.save, force_insert=True)


def test_enrolled_twice_at_once(course, student):
    enrollment = Enrollment(course=course, student=student, enrolled_at=timezone.now())
    assert_refused_by("enrollment_active_once", enrollment.save)


def test_enrolled_again_after_the_end(course, student):
    now = timezone.now()
    Enrollment.objects.filter(student=student).update(ended_at=now)
    for _ in range(2):
        Enrollment.objects.create(
            course=course, student=student, enrolled_at=now, ended_at=now
        )
    Enrollment.objects.create(course=course, student=student, enrolled_at=now)
    assert Enrollment.objects.filter(course=course, student=student).count() == 4


def test_an_enrollment_that_ends_before_it_starts(course, student):
    rows = Enrollment.objects.filter(course=course, student=student)
    ended_at = rows.get().enrolled_at - timedelta(seconds=1)
    assert_refused_by("enrollment_ends_after_start", rows.update, ended_at=ended_at)


def test_teaching_twice(course, teacher):
    double = CourseTeacher(course=course, user=teacher, role="co_teacher")
    assert_refused_by("course_teacher_once", double.save)


def test_teaching_in_an_unknown_role(course, outsider):
    odd = CourseTeacher(course=course, user=outsider, role="guest")
    assert_refused_by("course_teacher_role_known", odd.save)
