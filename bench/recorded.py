"""
The statements of one check-in, as they went to the database, to be sent again by hand.

Recorded from a real request, so that a limit measured with them follows when they
change. What stands in them of the one student (ids, keys, what RETURNING gave) is known
by its value; so that no such value occurs by chance, `spread_ids` has them begin high.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from django.db import connection, models

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    User,
)

# Numbers from here on occur nowhere by chance.
FIRST_ID = 100_000_000
_MODELS: tuple[type[models.Model], ...] = (
    User,
    AttendanceRecord,
    ClassSession,
    AttendanceEvent,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """A value that is another with every check-in; `less` is taken off it."""

    name: str
    less: int = 0


Part: TypeAlias = "str | Known"


@dataclasses.dataclass(frozen=True)
class Statement:
    """`returned`: the row of a RETURNING, by name."""

    sql: str
    parameters: tuple[Any, ...]
    returned: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Recording:
    """Statements, BEGIN and COMMIT among them; `known` names values by their text."""

    statements: list[Statement]
    known: dict[str, str]

    def parts(self, value: str) -> list[Part]:
        """A text, taken apart where something known stands in it."""
        pattern = "|".join(sorted(map(re.escape, self.known), key=len, reverse=True))
        pieces = re.split(f"({pattern})", value)
        return [
            Known(self.known[piece]) if number % 2 else piece
            for number, piece in enumerate(pieces)
            if piece
        ]

    def whole(self, value: int) -> Known | None:
        """A number that is known, or one below a known one."""
        for less in (0, 1):
            if name := self.known.get(str(value + less)):
                return Known(name, less)
        return None


def spread_ids() -> None:
    """Have new ids begin high and far apart; call it in an empty database."""
    for number, model in enumerate(_MODELS):
        table, first = model._meta.db_table, FIRST_ID * (number + 1)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                    [table, first],
                )
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)",
                    [table, first],
                )


def spread_revisions(class_session: ClassSession) -> None:
    """The same for the revisions of the class session that is recorded in."""
    revision = FIRST_ID * (len(_MODELS) + 1)
    ClassSession.objects.filter(pk=class_session.pk).update(revision=revision)


def record(request: Callable[[], None], known: Mapping[str, str]) -> Recording:
    """What `request` sends to the database; `known` names values it begins with."""
    log = connection.queries_log
    statements: dict[int, Statement] = {}

    def keep(execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        assert not many, "a check-in writes single rows"
        result = execute(sql, parameters, many, context)
        # Where the log will have it: so BEGIN and COMMIT find their places.
        statement = statements[len(log)] = Statement(str(sql), tuple(parameters or ()))
        if " RETURNING " in statement.sql:
            _keep_returned(context["cursor"], statement)
        return result

    log.clear()
    connection.force_debug_cursor = True
    try:
        with connection.execute_wrapper(keep):
            request()
    finally:
        connection.force_debug_cursor = False
    found = [
        statements.get(number) or Statement(logged["sql"], ())
        for number, logged in enumerate(log)
    ]
    names = dict(known)
    for number, statement in enumerate(found):
        for column, value in statement.returned.items():
            if isinstance(value, int) and value >= FIRST_ID:
                names.setdefault(str(value), f"{returned_prefix(number)}{column}")
    return Recording(found, names)


def returned_prefix(number: int) -> str:
    """Of the names of what the statement of that number returns."""
    return f"r{number}_"


def _keep_returned(cursor: Any, statement: Statement) -> None:
    fetch = cursor.fetchone

    def fetchone() -> Any:
        row = fetch()
        names = [column[0] for column in cursor.description]
        statement.returned.update(zip(names, row, strict=True))
        return row

    cursor.fetchone = fetchone


def fragments(sql: str) -> list[str]:
    """The text between the statement's parameters."""
    return [part.replace("%%", "%") for part in re.split(r"%s", sql)]


def woven(texts: Sequence[str], between: Iterable[str]) -> str:
    """`texts`, with one of `between` after each but the last."""
    return "".join(
        text + more for text, more in zip(texts, [*between, ""], strict=True)
    )
