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
            # It may be there and switched off.
            _drop(schema_editor, name)
            schema_editor.execute(sql)


def remove(apps: Any, schema_editor: Any) -> None:
    """Remove the triggers (for RunPython, backwards)."""
    vendor = schema_editor.connection.vendor
    for name in _triggers(vendor):
        _drop(schema_editor, name)
    if vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {_FUNCTION}()")


def _drop(schema_editor: Any, name: str) -> None:
    table = name.rpartition("_no_")[0]
    on = f" ON {table}" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that are not there, or are switched off."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        there = {row[0] for row in cursor.fetchall()}
    return [name for name in _triggers(connection.vendor) if name not in there]
