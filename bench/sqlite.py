"""SQLite: a database of its own, and the statements of a check-in by hand."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3._functions import (  # type: ignore[import-untyped]
    register,
)

from bench.recorded import Known, Part, Recording, fragments, returned_prefix, woven
from tests.servers.process import ROOT


def migrate(environment: dict[str, str]) -> None:
    """Migrate the database that a process with this environment uses."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)


def by_hand(
    file: Path, recording: Recording, students: Sequence[int], class_session_id: int
) -> float:
    """Seconds that one thread takes for the check-in of each of the students."""
    statements = [
        (
            number,
            woven(fragments(s.sql), "?" * len(s.parameters)),
            [_template(parameter, recording) for parameter in s.parameters],
            tuple(s.returned),
        )
        for number, s in enumerate(recording.statements)
    ]
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        # Constraints and the seal of an event call functions that Django brings along.
        register(connection)
        begun = time.monotonic()
        for student in students:
            values = {"student": student, "session": class_session_id}
            for number, text, templates, names in statements:
                cursor = connection.execute(text, [_fill(t, values) for t in templates])
                row = cursor.fetchone()
                for name, value in zip(names, row if names else (), strict=True):
                    values[f"{returned_prefix(number)}{name}"] = value
        return time.monotonic() - begun
    finally:
        connection.close()


def _template(parameter: Any, recording: Recording) -> Any:
    """The parameter, or what it is made of: a `Known`, or a list of parts."""
    if isinstance(parameter, int) and (known := recording.whole(parameter)):
        return known
    if isinstance(parameter, str):
        parts: list[Part] = recording.parts(parameter)
        if any(isinstance(part, Known) for part in parts):
            return parts
    return parameter


def _fill(template: Any, values: dict[str, int]) -> Any:
    if isinstance(template, Known):
        return values[template.name] - template.less
    if isinstance(template, list):
        return "".join(
            str(values[part.name]) if isinstance(part, Known) else part
            for part in template
        )
    return template
