"""`manage.py prepare_demo`: what `run.py serve` does before it serves."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from attendance.demo import school
from attendance.demo.listing import log_in_table

# Any number will do, as long as nobody else uses it in the same database.
_LOCK = 7_283_365


class Command(BaseCommand):
    help = (
        "Migrate the database; in the demo, fill it if nobody is in it yet, and print "
        "the demo's log-ins. Changes nothing that is there."
    )
    # Other applications' checks need tables that do not exist yet.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        with _one_at_a_time():
            call_command("migrate", verbosity=0, interactive=False)
            if settings.DEMO:
                school.seed_if_empty()
        table = log_in_table() if settings.DEMO else ""
        if table:
            self.stdout.write(table)


def _got_lock(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
    return bool(cursor.fetchone()[0])


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one process at a time prepare this database: migrations do not wait."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Asked again and again: who waits inside a statement keeps a snapshot, for
            # whose end an index that is made concurrently would wait in turn.
            while not _got_lock(cursor):
                time.sleep(0.1)
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        return
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:" or name.startswith("file:"):
        # In this process's memory: nobody else is there to wait for.
        yield
        return
    database = Path(name)
    with database.with_name(f"{database.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
