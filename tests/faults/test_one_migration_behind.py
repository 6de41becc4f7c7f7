"""Two releases over one database: one knows a column that the other does not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from attendance.models import User
from tests.faults.bursts import Burst
from tests.faults.school import School, make_school
from tests.faults.trial import RecordProperty, Trial
from tests.live import FAST_HEARTBEAT, post
from tests.servers import PostgresServer, SiteServer

PROJECT = (
    *("attendance", "attendance_site", "deploy", "realtime"),
    *("static", "templates"),
)
MODELS = {"event.py": "AttendanceEvent", "record.py": "AttendanceRecord"}
NEW_FIELD = '    room = models.CharField(max_length=20, db_default="B12")\n\n'


@pytest.fixture
def next_release(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project that is one migration ahead of this checkout."""
    root = Path(settings.BASE_DIR)
    for name in PROJECT:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, tmp_path / name, ignore=ignore)
    shutil.copy(root / "manage.py", tmp_path)
    for name, model in MODELS.items():
        path = tmp_path / "attendance" / "models" / name
        changed, count = re.subn(
            rf"(?s)(class {model}\(.*?)(?=    class Meta:)",
            lambda found: found[1] + NEW_FIELD,
            path.read_text(),
            count=1,
        )
        assert count == 1
        path.write_text(changed)
    yield tmp_path


def test_a_process_one_migration_behind(
    own_database: PostgresServer, next_release: Path, record_property: RecordProperty
) -> None:
    school = make_school()
    early, late = school.students[:30], school.students[30:]
    # The same secret key, as two releases of one site have.
    env = {"ATTENDANCE_VAR_DIR": str(settings.VAR_DIR), **FAST_HEARTBEAT}
    behind = SiteServer(env=env)
    ahead = SiteServer(env=env, folder=next_release)
    add_migration(ahead)
    fault = "a process one migration behind"
    with behind, Trial(fault, school, record_property) as trial:
        trial.watch_everywhere([behind])
        with Burst(school, [behind], students=early, rate=10) as before:
            ahead.manage("migrate", "-v0")
        with ahead:
            trial.watch_everywhere([ahead])
            with Burst(school, [behind, ahead], students=late) as after:
                trial.fault_is_over()
            override(behind, school, early[0])
            override(ahead, school, early[1])
            trial.verdict(before, after)
            assert not before.errors() and not after.errors(), behind.log

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(room) FROM attendance_attendanceevent")
        assert cursor.fetchone() == (1 + 60 + 2,)


def add_migration(release: SiteServer) -> None:
    """
    Add the migration of the new columns to the release.

    Not in one transaction: that would hold one table while it waits for the other,
    and a check-in holds that one while it waits for the first.
    """
    release.manage("makemigrations", "attendance", "--name", "room", "-v0")
    (path,) = (release.folder / "attendance" / "migrations").glob("*_room.py")
    head = "class Migration(migrations.Migration):\n"
    assert head in path.read_text()
    path.write_text(path.read_text().replace(head, f"{head}    atomic = False\n"))


def override(site: SiteServer, school: School, student: User) -> None:
    path = f"class-sessions/{school.class_session.pk}/override/"
    body = {"student_id": student.pk, "status": "excused", "reason": "ill"}
    assert post(site, path, body, token=school.token(school.teacher))[0] == 200
