"""`manage.py prepare_demo`: what `run.py serve` does before it serves."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from pytest_django import Settings

from attendance.demo import school
from attendance.models import AttendanceRecord, Course, User

from .cast import make_user
from .servers import new_database
from .servers.process import ROOT


def prepare() -> str:
    out = io.StringIO()
    call_command("prepare_demo", stdout=out)
    return out.getvalue()


def started(database_url: str, var_dir: Path) -> subprocess.Popen[str]:
    """The command as a process of its own, on that database."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "prepare_demo"],
        cwd=ROOT,
        env={
            **os.environ,
            "ATTENDANCE_DEMO": "1",
            "ATTENDANCE_VAR_DIR": str(var_dir),
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "attendance_site.settings",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.django_db
def test_it_fills_an_empty_database_and_prints_the_log_ins() -> None:
    said = prepare()

    assert User.objects.count() == school.BASE_STUDENTS + school.TEACHERS + 1
    assert Course.objects.count() == school.BASE_COURSES
    assert AttendanceRecord.objects.exists()
    assert school.PASSWORD in said
    for username in ("admin", "teacher1", "teacher2", "student001", "student002"):
        assert f" {username} " in said
    assert said.isascii(), "it is printed on terminals of every kind"


@pytest.mark.django_db
def test_repeated_it_prints_the_log_ins_and_changes_nothing() -> None:
    call_command("seed_demo", courses=2, students=5, stdout=io.StringIO())
    before = list(User.objects.values()), list(Course.objects.values())
    assert school.PASSWORD in prepare()
    assert (list(User.objects.values()), list(Course.objects.values())) == before


@pytest.mark.django_db
def test_among_other_people_it_does_nothing_and_says_nothing() -> None:
    make_user("principal", "Paula Principal")
    assert prepare() == ""
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_outside_the_demo_it_only_migrates(settings: Settings) -> None:
    settings.DEMO = False
    assert prepare() == ""
    assert not User.objects.exists()


def assert_both_succeed(database_url: str, var_dir: Path) -> None:
    both = [started(database_url, var_dir) for _ in range(2)]
    outputs = [process.communicate(timeout=90) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert outputs[0] == outputs[1]
    assert school.PASSWORD in outputs[0][0]
    assert outputs[0][1] == ""


def test_two_at_once_on_postgresql(tmp_path: Path) -> None:
    with new_database() as url:
        assert_both_succeed(url, tmp_path)
        with psycopg.connect(url) as database:
            row = database.execute(
                "SELECT count(*) FROM attendance_user WHERE username LIKE 'student%'"
            ).fetchone()
    assert row == (school.BASE_STUDENTS,)


def test_two_at_once_on_sqlite(tmp_path: Path) -> None:
    assert_both_succeed(f"sqlite:///{tmp_path / 'demo.sqlite3'}", tmp_path)
