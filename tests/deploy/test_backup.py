"""Backup and restore, by their command lines and PostgreSQL's own programs."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.deploy.command_lines import serve
from tests.deploy.conftest import check_in
from tests.faults.school import School
from tests.servers import PostgresServer, free_port, site_environment


def environment(postgres: PostgresServer, database: str) -> dict[str, str]:
    """Of the site on that database, with PostgreSQL's programs on PATH."""
    # Two choices that are the site's, and one that is libpq's.
    choices = "prepare_threshold=2&sslmode=disable&server_side_binding=false"
    return {
        **site_environment(),
        "DATABASE_URL": f"{postgres.url_of(database)}?{choices}",
        "PATH": f"{postgres.bin}:{os.environ['PATH']}",
    }


def test_it_works(
    own_database: PostgresServer, history: School, tmp_path: Path
) -> None:
    env = environment(own_database, "school")
    # As seen from where the command is given.
    made = serve("backup", "backups", env=env, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    dump = Path(made.stdout.splitlines()[-1])
    assert dump.parent == tmp_path / "backups"
    assert own_database.password not in made.stdout + made.stderr
    check_in(history, history.students[2])  # after the backup, so not in it

    own_database.execute("CREATE DATABASE restored")
    env = environment(own_database, "restored")
    done = serve("restore", f"backups/{dump.name}", env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 class sessions, 3 events, 2 records: all as written.\n"

    with psycopg.connect(own_database.url_of("restored")) as connection:
        cursor = connection.execute("SELECT count(*) FROM attendance_overruledmark")
        assert cursor.fetchone() == (1,)
        for change in (b"DELETE FROM", b"TRUNCATE"):
            with pytest.raises(psycopg.Error, match="append-only"):
                connection.execute(change + b" attendance_overruledmark")
            connection.rollback()

    again = serve("restore", str(dump), env=env)
    assert again.returncode != 0, "restored over what was there"
    assert "already exists" in again.stderr


def test_a_dump_that_lacks_what_its_heads_tell_of(
    own_database: PostgresServer, history: School, tmp_path: Path
) -> None:
    """As when somebody puts an older dump in a newer one's place."""
    env = environment(own_database, "school")
    old = serve("backup", str(tmp_path / "old"), env=env)
    check_in(history, history.students[2])
    new = serve("backup", str(tmp_path / "new"), env=env)
    old_dump, new_dump = (Path(made.stdout.splitlines()[-1]) for made in (old, new))
    os.replace(old_dump, new_dump)

    own_database.execute("CREATE DATABASE restored")
    done = serve("restore", str(new_dump), env=environment(own_database, "restored"))
    assert done.returncode == 1
    assert "differences, named above" in done.stderr


def test_a_backup_that_fails_leaves_nothing_behind(
    transactional_db: None, tmp_path: Path
) -> None:
    programs, backups = tmp_path / "programs", tmp_path / "backups"
    programs.mkdir()
    pg_dump = programs / "pg_dump"
    pg_dump.write_text('#!/bin/sh\nfor last; do :; done\necho half >"$last"\nexit 3\n')
    pg_dump.chmod(0o755)
    env = {**site_environment(), "PATH": f"{programs}:{os.environ['PATH']}"}
    made = serve("backup", str(backups), env=env)
    assert made.returncode == 3, made.stderr
    assert list(backups.iterdir()) == []


def test_nothing_is_restored_without_heads(
    transactional_db: None, tmp_path: Path
) -> None:
    """It is said before anything is asked of the database."""
    nowhere = {"DATABASE_URL": f"postgresql://127.0.0.1:{free_port()}/restored"}
    dump = tmp_path / "school.dump"
    dump.touch()
    done = serve("restore", str(dump), env={**site_environment(), **nowhere})
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}/school.heads is not there")


def test_a_parameter_that_nobody_knows(tmp_path: Path) -> None:
    url = f"postgresql://u:secret@127.0.0.1:{free_port()}/school?sslmod=require"
    dump = tmp_path / "school.dump"
    dump.touch()
    dump.with_suffix(".heads").touch()
    done = serve("restore", str(dump), env={**site_environment(), "DATABASE_URL": url})
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL makes no sense to PostgreSQL: ")
    assert "sslmod" in done.stderr
    assert "secret" not in done.stderr
