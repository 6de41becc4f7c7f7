"""The database itself refuses to change or delete history, whoever asks."""

import contextlib
import sqlite3

import pytest
from django.db import IntegrityError, connection, transaction

from attendance.append_only import TABLES, missing_triggers
from attendance.models import AttendanceEvent, OverruledMark
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import override_status
from tests.servers.site import manage, site_environment

SENTENCE = "the history is append-only"


@pytest.fixture
def history(class_session, teacher, student):
    """An event and an overruled mark."""
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="absent",
        reason="not seen",
    )
    check_in_by_code(student=student, code=class_session.verification_code)


@pytest.mark.django_db
@pytest.mark.parametrize("model", [AttendanceEvent, OverruledMark])
@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.update(at=None),
        lambda rows: rows._raw_delete("default"),
        lambda rows: rows.delete(),
        lambda rows: rows.filter(pk=-1).update(source="teacher"),
        lambda rows: rows.get().delete(),
        lambda rows: rows.get().save(),
    ],
    ids=["update", "raw-delete", "delete", "no-row", "delete-one", "save-one"],
)
def test_through_the_application(history, model, change):
    rows = model.objects.filter(pk=model.objects.latest("pk").pk)
    before = list(model.objects.values())
    with pytest.raises(IntegrityError, match=SENTENCE), transaction.atomic():
        change(rows)
    assert list(model.objects.values()) == before


def test_on_sqlite(tmp_path):
    environment = site_environment() | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'school.sqlite3'}"
    }
    manage("migrate", "--no-input", "-v0", env=environment)
    manage("seed_demo", "--json", "--students", "3", env=environment)
    with contextlib.closing(sqlite3.connect(tmp_path / "school.sqlite3")) as school:
        for statement in (
            "UPDATE attendance_attendanceevent SET source = 'student'",
            "DELETE FROM attendance_attendanceevent",
        ):
            with pytest.raises(sqlite3.IntegrityError, match=SENTENCE):
                school.execute(statement)
    assert "all as written" in manage("verify_history", env=environment)


@pytest.mark.django_db
def test_the_guard_is_whole():
    assert missing_triggers(connection) == []
    for table in TABLES:
        with pytest.raises(IntegrityError, match=SENTENCE), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {table}")
