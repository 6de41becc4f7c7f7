"""Backup and restore, by their command lines and PostgreSQL's own programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from attendance.services.check_in import check_in_by_code
from attendance.services.marking import override_status
from tests.faults.school import School, make_school
from tests.servers import PostgresServer, site_environment
from tests.servers.process import ROOT


def serve(
    postgres: PostgresServer, database: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """`deploy/serve` with these arguments, on that database."""
    return subprocess.run(
        ["deploy/serve", *arguments],
        cwd=ROOT,
        env={
            **site_environment(),
            "DATABASE_URL": postgres.url_of(database),
            "PATH": f"{postgres.bin}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
    )


@pytest.fixture
def school(own_database: PostgresServer) -> School:
    """A class session with a history: a check-in against a teacher's mark, and more."""
    school = make_school(3)
    first, second, _ = school.students
    override_status(
        class_session=school.class_session,
        actor=school.teacher,
        student_id=first.pk,
        status="absent",
        reason="not seen",
    )
    for student in (first, second):
        check_in(school, student.pk)
    return school


def check_in(school: School, student_id: int) -> None:
    (student,) = (each for each in school.students if each.pk == student_id)
    check_in_by_code(student=student, code=school.class_session.verification_code or "")


def test_it_works(own_database: PostgresServer, school: School, tmp_path: Path) -> None:
    made = serve(own_database, "school", "backup", str(tmp_path))
    assert made.returncode == 0, made.stderr
    dump = Path(made.stdout.splitlines()[-1])
    assert own_database.password not in made.stdout + made.stderr
    check_in(school, school.students[2].pk)  # after the backup, so not in it

    own_database.execute("CREATE DATABASE restored")
    done = serve(own_database, "restored", "restore", str(dump))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 class sessions, 3 events, 2 records: all as written.\n"

    with psycopg.connect(own_database.url_of("restored")) as connection:
        cursor = connection.execute("SELECT count(*) FROM attendance_overruledmark")
        assert cursor.fetchone() == (1,)
        for change in (b"DELETE FROM", b"TRUNCATE"):
            with pytest.raises(psycopg.Error, match="append-only"):
                connection.execute(change + b" attendance_overruledmark")
            connection.rollback()

    again = serve(own_database, "restored", "restore", str(dump))
    assert again.returncode != 0, "restored over what was there"
    assert "already exists" in again.stderr


def test_a_dump_that_lacks_what_its_heads_tell_of(
    own_database: PostgresServer, school: School, tmp_path: Path
) -> None:
    """As when somebody puts an older dump in a newer one's place."""
    old = serve(own_database, "school", "backup", str(tmp_path / "old"))
    check_in(school, school.students[2].pk)
    new = serve(own_database, "school", "backup", str(tmp_path / "new"))
    old_dump, new_dump = (Path(made.stdout.splitlines()[-1]) for made in (old, new))
    os.replace(old_dump, new_dump)

    own_database.execute("CREATE DATABASE restored")
    done = serve(own_database, "restored", "restore", str(new_dump))
    assert done.returncode == 1
    assert "differences, named above" in done.stderr
