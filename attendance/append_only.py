"""
The database's own refusal to change the history, whoever asks: application or not.

Each table of the history has a trigger per statement that would change or delete rows.
SQLite loses the triggers of a table that a migration rebuilds; such a migration ends
with `add`, and `manage.py verify_history` reports when one is missing.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("attendance_attendanceevent", "attendance_overruledmark")
_FUNCTION = "attendance_refuse_change"
_SENTENCE = "the history is append-only"


def _triggers(vendor: str) -> dict[str, str]:
    """The SQL of each trigger, by its name."""
    found = {}
    for table in TABLES:
        if vendor == "postgresql":
            for name, change in (("change", "UPDATE OR DELETE"), ("end", "TRUNCATE")):
                found[f"{table}_no_{name}"] = (
                    f"CREATE TRIGGER {table}_no_{name} BEFORE {change} ON {table} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
                )
        else:
            for change in ("UPDATE", "DELETE"):
                found[f"{table}_no_{change.lower()}"] = (
                    f"CREATE TRIGGER {table}_no_{change.lower()} "
                    f"BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
                )
    return found


def add(apps: Any, schema_editor: Any) -> None:
    """Add the triggers that are missing (for RunPython)."""
    connection = schema_editor.connection
    missing = missing_triggers(connection)
    if connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger "
            "LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{_SENTENCE}: %% on %% is refused', "
            "TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$",
            params=(),
        )
    for name, sql in _triggers(connection.vendor).items():
        if name in missing:
            schema_editor.execute(sql)


def remove(apps: Any, schema_editor: Any) -> None:
    """Remove the triggers (for RunPython, backwards)."""
    vendor = schema_editor.connection.vendor
    for name in _triggers(vendor):
        table = name.rpartition("_no_")[0]
        on = f" ON {table}" if vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
    if vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {_FUNCTION}()")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that are not there, or are switched off."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        there = {row[0] for row in cursor.fetchall()}
    return [name for name in _triggers(connection.vendor) if name not in there]
