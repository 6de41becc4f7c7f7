"""`manage.py verify_history` finds and names whatever is not as it was written."""

import io
import json
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    VerificationMethod,
)
from attendance.services.check_in import check_in_by_code
from attendance.services.class_sessions import close_class_session, reopen_class_session
from attendance.services.conflicts import settle_conflict
from attendance.services.courses import enroll_student
from attendance.services.marking import mark_in_bulk, override_status
from attendance.services.undo import undo_operation
from tests.cast import make_session, make_students

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(class_session, teacher, admin, student, student2, outsider):
    """A class session in which everything has happened that may happen to a mark."""
    code = class_session.verification_code
    first = override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="absent",
        reason="not seen",
    )
    check_in_by_code(student=student, code=code)
    settle_conflict(
        class_session=class_session, actor=teacher, student_id=student.pk, accept=True
    )
    assert first.operation_id
    bulk = mark_in_bulk(
        class_session=class_session,
        actor=admin,
        operation="mark_late",
        reason="storm",
        notes="all of them",
    )
    undo = undo_operation(
        class_session=class_session, actor=admin, operation_id=bulk.operation_id
    )
    undo_operation(
        class_session=class_session, actor=admin, operation_id=undo.operation_id
    )
    enroll_student(course=class_session.course, student_id=outsider.pk, actor=teacher)
    close_class_session(class_session=class_session, actor=teacher)
    reopened = reopen_class_session(class_session=class_session, actor=teacher)
    check_in_by_code(student=outsider, code=reopened.verification_code)
    override = override_status(
        class_session=class_session,
        actor=teacher,
        student_id=outsider.pk,
        status="excused",
        reason="ill",
    )
    undo_operation(
        class_session=class_session, actor=teacher, operation_id=override.operation_id
    )
    return class_session


def verify(*arguments):
    out = io.StringIO()
    call_command("verify_history", *arguments, stdout=out)
    return out.getvalue()


def findings(*arguments):
    """What the command names before it fails."""
    out = io.StringIO()
    with pytest.raises(CommandError, match="differences, named above"):
        call_command("verify_history", *arguments, stdout=out)
    return out.getvalue().splitlines()


@contextmanager
def behind_its_back():
    """As somebody with the database's own password would, leaving no trace."""
    with connection.cursor() as cursor:
        # The triggers are switched off for this transaction alone.
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def event_of(class_session, revision):
    return AttendanceEvent.objects.get(class_session=class_session, revision=revision)


def test_it_works(story):
    revision = ClassSession.objects.get(pk=story.pk).revision
    assert verify() == (
        f"1 class sessions, {revision} events, 3 records: all as written.\n"
    )


def test_one_class_session_alone(story, course):
    other = make_session(course, title="Other")
    assert verify("--class-session", str(other.pk)) == (
        "1 class sessions, 1 events, 0 records: all as written.\n"
    )


def test_an_unknown_class_session():
    with pytest.raises(CommandError, match="There is no class session 999"):
        verify("--class-session", "999")


# Behind the application's back ------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "at = at - interval '1 hour'",
        "actor_id = NULL",
        "student_id = NULL",
        "source = 'administrator'",
        "type = 'attendance_update'",
        "data = jsonb_set(data, '{event}', '\"closed\"')",
        "before = '{}'",
        "operation_id = gen_random_uuid()",
    ],
)
def test_a_changed_event(change, class_session, teacher, student):
    check_in_by_code(student=student, code=class_session.verification_code)
    with behind_its_back() as cursor:
        cursor.execute(
            f"UPDATE attendance_attendanceevent SET {change} "
            "WHERE class_session_id = %s AND revision = 2",
            [class_session.pk],
        )
    named = [line for line in findings() if "is not what was sealed" in line]
    (line,) = named
    assert f"Class session {class_session.pk} " in line
    assert "revision 2 is not what was sealed" in line


def test_a_changed_event_with_a_new_seal_shows_at_the_next(story):
    with behind_its_back() as cursor:
        cursor.execute(
            "UPDATE attendance_attendanceevent SET hash = repeat('a', 64) "
            "WHERE class_session_id = %s AND revision = 3",
            [story.pk],
        )
    named = "\n".join(findings())
    assert "revision 3 is not what was sealed" in named
    assert "revision 4 is not what was sealed" in named


def test_a_deleted_event(story):
    with behind_its_back() as cursor:
        cursor.execute(
            "DELETE FROM attendance_attendanceevent "
            "WHERE class_session_id = %s AND revision = 2",
            [story.pk],
        )
    named = "\n".join(findings())
    assert "revision 2 is missing" in named
    assert "revision 3 is not what was sealed" in named


def test_a_deleted_last_event(story):
    last = ClassSession.objects.get(pk=story.pk).revision
    with behind_its_back() as cursor:
        cursor.execute(
            "DELETE FROM attendance_attendanceevent "
            "WHERE class_session_id = %s AND revision = %s",
            [story.pk, last],
        )
    named = "\n".join(findings())
    assert f"says revision {last}, its last event is revision {last - 1}" in named


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (
            {
                "status": "present",
                "verification_method": VerificationMethod.TEACHER_OVERRIDE,
                "source": "teacher",
                "override_reason": "bribe",
            },
            ["attendance_status 'present', its events say 'late'", "'bribe'"],
        ),
        ({"check_in_time": None}, ["check_in_time None"]),
        ({"version": 77}, ["version 77"]),
        ({"notes": "x"}, ["notes 'x', its events say 'all of them'"]),
        (
            {"source": "teacher"},
            ["source 'teacher', its events say 'administrator'"],
        ),
    ],
)
def test_a_changed_record(fields, named, story, student):
    AttendanceRecord.objects.filter(student=student).update(**fields)
    lines = "\n".join(findings())
    for words in (f"the record of student {student.pk} has", *named):
        assert words in lines


def test_a_deleted_record(class_session, student):
    check_in_by_code(student=student, code=class_session.verification_code)
    AttendanceRecord.objects.filter(student=student).delete()
    (line,) = findings()
    assert f"the record of student {student.pk} is gone" in line


def test_a_record_out_of_nowhere(class_session, student):
    AttendanceRecord.objects.create(
        class_session=class_session,
        student=student,
        status="present",
        verification_method="qr_code",
        source="student",
        version=1,
    )
    (line,) = findings()
    assert f"no event tells of the record of student {student.pk}" in line


def test_a_missing_trigger(story):
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TRIGGER attendance_attendanceevent_no_change "
            "ON attendance_attendanceevent"
        )
    (line,) = findings()
    assert "attendance_attendanceevent_no_change is missing" in line


def test_a_trigger_switched_off(story):
    with connection.cursor() as cursor:
        # Else the rows of this transaction are still being checked.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE attendance_overruledmark DISABLE TRIGGER USER")
    assert len(findings()) == 2


# Heads kept elsewhere ---------------------------------------------------------------


@pytest.fixture
def kept(story, tmp_path):
    """The heads, exported when all was well."""
    path = tmp_path / "heads"
    verify("--export-heads", str(path))
    return path


def test_heads_are_exported(kept, story):
    session = ClassSession.objects.get(pk=story.pk)
    (line,) = kept.read_text().splitlines()
    assert json.loads(line) == {
        "class_session_id": session.pk,
        "revision": session.revision,
        "hash": event_of(story, session.revision).hash,
    }


def test_heads_kept_elsewhere_are_part_of_a_longer_history(kept, story, teacher):
    close_class_session(class_session=story, actor=teacher)
    assert "all as written" in verify("--compare-heads", str(kept))


def test_a_history_cut_short_shows_by_the_head_kept_elsewhere(kept, class_session):
    """Cut so that all that is left fits together."""
    last = ClassSession.objects.get(pk=class_session.pk).revision
    with behind_its_back() as cursor:
        cursor.execute(
            "DELETE FROM attendance_attendanceevent "
            "WHERE class_session_id = %s AND revision > 1",
            [class_session.pk],
        )
        cursor.execute("DELETE FROM attendance_overruledmark")
        cursor.execute("DELETE FROM attendance_attendancerecord")
        cursor.execute("UPDATE attendance_classsession SET revision = 1")
    assert "all as written" in verify()
    (line,) = findings("--compare-heads", str(kept))
    assert f"revision {last}, whose hash was kept elsewhere, is gone" in line


def test_nothing_is_exported_of_what_is_not_as_written(story, tmp_path):
    AttendanceRecord.objects.update(version=77)
    findings("--export-heads", str(tmp_path / "heads"))
    assert not (tmp_path / "heads").exists()


@pytest.mark.parametrize("text", ["nonsense", '{"revision": 1}', "[1]", '"x"'])
def test_a_file_that_holds_no_heads(text, tmp_path):
    path = tmp_path / "heads"
    path.write_text(text)
    with pytest.raises(CommandError, match="cannot be read as heads"):
        verify("--compare-heads", str(path))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="cannot be read as heads"):
        verify("--compare-heads", str(tmp_path / "none"))


def test_many_students_are_named_each(class_session, course, teacher):
    make_students(course, 3)
    mark_in_bulk(
        class_session=class_session,
        actor=teacher,
        operation="mark_present",
        reason="seen",
    )
    AttendanceRecord.objects.update(notes="x")
    assert len(findings()) == AttendanceRecord.objects.count() == 5
