"""PostgreSQL's own load generator with the statements of a check-in."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg import sql

from bench.lab import Lab
from bench.recorded import (
    Known,
    Recording,
    Statement,
    fragments,
    returned_prefix,
    woven,
)

# A text literal as psycopg writes it, with its cast.
_LITERAL = re.compile(r"( ?E)?'(?P<text>.*)'(?P<cast>::[\w\" ]+)?", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Found:
    """Of one run: transactions a second, and the milliseconds that each took."""

    per_second: float
    milliseconds: list[float]


def protocol() -> str:
    """As which of pgbench's protocols the site's own connections send statements."""
    options = connection.settings_dict["OPTIONS"]
    if not options.get("server_side_binding"):
        return "simple"
    return "extended" if options.get("prepare_threshold") is None else "prepared"


def script(recording: Recording, expressions: dict[str, str]) -> str:
    """
    The recorded statements, as a transaction for one student after the other.

    `expressions` has the SQL of what is known but is no pgbench variable. The
    variables `first` (student's id), `share` (students of a client), `n` (-1),
    `first_session` (class session's id) and `sessions` (how many) must be given.
    """
    lines = [
        r"\set n :n + 1",
        r"\set student :first + :client_id * :share + :n",
        r"\set session :first_session + (:client_id * :share + :n) % :sessions",
    ]
    for number, statement in enumerate(recording.statements):
        text = _text(statement, recording, expressions)
        if statement.returned:
            lines.append(rf"{text} \gset {returned_prefix(number)}")
        else:
            lines.append(f"{text};")
    return "\n".join(lines) + "\n"


def _text(
    statement: Statement, recording: Recording, expressions: dict[str, str]
) -> str:
    if not statement.parameters:
        return statement.sql.strip()
    texts = fragments(statement.sql)
    values = [_value(p, recording, expressions) for p in statement.parameters]
    return woven(texts, values).strip()


def _value(value: Any, recording: Recording, expressions: dict[str, str]) -> str:
    """An SQL expression for a parameter."""
    if isinstance(value, int) and (known := recording.whole(value)):
        less = f" - {known.less}" if known.less else ""
        return f"({_of(known, expressions)}{less})"
    literal = sql.Literal(value).as_string(connection.connection)
    found = _LITERAL.fullmatch(literal.strip())
    if found is None:
        return literal
    quote = f"{(found[1] or '').strip()}'"
    parts: list[str] = []
    for part in recording.parts(found["text"]):
        if isinstance(part, Known):
            parts.append(_of(part, expressions, "::text"))
        else:
            # In one piece, pgbench would take `:false` for a variable.
            pieces = re.split(r"(?<=:)(?=[A-Za-z_])", part)
            parts += [f"{quote}{piece}'" for piece in pieces]
    if len(parts) < 2 and "'" in "".join(parts):
        return literal
    # A parameter takes the type of its column, but what is put together is text.
    is_object = found["text"].startswith("{")
    cast = found["cast"] or ("::jsonb" if is_object else "")
    return f"({' || '.join(parts) or literal}){cast}"


def _of(known: Known, expressions: dict[str, str], cast: str = "") -> str:
    return expressions.get(known.name) or f":{known.name}{cast}"


def run(
    lab: Lab,
    text: str,
    *,
    clients: int,
    transactions: int,
    first: int,
    first_class_session: int,
    class_sessions: int,
) -> Found:
    """
    Run the script in the current database, `transactions` with each client.

    The students' ids begin with `first`; they go to one of the class sessions after
    the other.
    Raises RuntimeError when a transaction failed.
    """
    given = {"first": first, "share": transactions, "n": -1}
    given |= {"first_session": first_class_session, "sessions": class_sessions}
    with tempfile.TemporaryDirectory(prefix="attendance-bench-") as folder:
        file = Path(folder) / "check-in.sql"
        file.write_text(text)
        done = subprocess.run(
            [
                *[str(lab.pgbench()), "--no-vacuum", "--file", str(file)],
                *["--client", str(clients), "--jobs", str(min(clients, 2))],
                *["--transactions", str(transactions), "--protocol", protocol()],
                *["--log", "--log-prefix", f"{folder}/log"],
                *[f"--define={name}={value}" for name, value in given.items()],
                lab.environment()["DATABASE_URL"],
            ],
            capture_output=True,
            text=True,
        )
        times = [
            int(line.split()[2]) / 1000
            for log in Path(folder).glob("log.*")
            for line in log.read_text().splitlines()
        ]
    rate = re.search(r"tps = ([\d.]+) \(without initial", done.stdout)
    if done.returncode or rate is None or len(times) != clients * transactions:
        raise RuntimeError(
            f"pgbench failed: {done.stdout[-1500:]}{done.stderr[-3000:]}"
        )
    return Found(float(rate[1]), times)
