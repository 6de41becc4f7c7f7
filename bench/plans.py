"""What PostgreSQL does for an operation: the blocks that it looks at, and its plans."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from django.db import connection


@dataclasses.dataclass(frozen=True)
class Query:
    """One SELECT that an operation sent."""

    sql: str
    params: Any

    def blocks(self) -> int:
        """How many blocks of 8 kB it looks at, cached or not."""
        plan = self._explained()["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    def milliseconds(self) -> float:
        """How long planning and executing take, by PostgreSQL's own clock."""
        found = self._explained()
        return float(found["Planning Time"] + found["Execution Time"])

    def plan(self) -> str:
        """The plan as PostgreSQL prints it."""
        return "\n".join(self._explain("ANALYZE, BUFFERS, COSTS OFF"))

    def _explained(self) -> dict[str, Any]:
        (found,) = self._explain("ANALYZE, BUFFERS, FORMAT JSON")
        (about,) = found
        return dict(about)

    def _explain(self, options: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN ({options}) {self.sql}", self.params)
            return [row[0] for row in cursor.fetchall()]


def queries_of(operation: Callable[[], Any]) -> list[Query]:
    """Run it once; the SELECTs that it sent."""
    sent: list[Query] = []

    def keep(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if sql.lstrip().startswith("SELECT"):
            sent.append(Query(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        operation()
    return sent
