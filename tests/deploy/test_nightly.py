"""What a timer starts once a day, on a database of its own."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.deploy.command_lines import serve
from tests.deploy.conftest import check_in
from tests.faults.school import School
from tests.servers import PostgresServer, site_environment


def test_it_works(
    own_database: PostgresServer, history: School, tmp_path: Path
) -> None:
    """Each night is held against the one before; a history cut short is found."""
    heads = tmp_path / "heads"
    env = {**site_environment(), "ATTENDANCE_HEADS_DIR": str(heads)}
    first = serve("nightly", env=env)
    assert first.returncode == 0, first.stderr
    check_in(history, history.students[2])
    # Two nights in one second are one to a clock.
    (kept,) = heads.iterdir()
    kept.rename(heads / "2026-01-01T000000Z.heads")
    second = serve("nightly", env=env)
    assert second.returncode == 0, second.stderr
    assert "all as written" in second.stdout
    assert [path.suffix for path in heads.iterdir()] == [".heads"] * 2

    with psycopg.connect(own_database.url_of("school")) as connection:
        # As whoever owns the database can, and so that what is left fits together.
        connection.execute("SET session_replication_role = replica")
        for table in ("attendanceevent", "attendancerecord", "overruledmark"):
            connection.execute(f"DELETE FROM attendance_{table}".encode())
        connection.execute("UPDATE attendance_classsession SET revision = 0")
    third = serve("nightly", env=env)
    assert third.returncode == 1
    assert "differences, named above" in third.stderr
    assert len(list(heads.glob("*.heads"))) == 2, "what is wrong was kept as right"
