"""The live page of a class session and its roster: the time in the server."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from html import escape
from typing import Any

import psycopg

from bench.figures import Row, Section, Spread, ratios
from bench.inside import Request, be_a_worker, milliseconds, statements_of
from bench.lab import Lab

FEW, MANY = 300, 2000
# Milliseconds.
PAGE_GOALS = {FEW: 10.0, MANY: 60.0}
SNAPSHOT_GOALS = {FEW: 8.0, MANY: 50.0}
REASON = (
    "By the profile a third is the template engine on the page around the rows, a "
    "third reading (five statements; a sixth of all is waiting for the database), a "
    "seventh filling the rows, and the rest Django's: person, middleware, answer."
)
# Requests of one round, of which the median counts.
REPEATS = 15

# What is shown of everyone on the roster, in one query.
_ROSTER = """
    SELECT u.id, u.name, u.username, r.status, r.check_in_time, r.late_minutes,
           r.verification_method, r.override_reason, r.notes, r.version
    FROM attendance_enrollment e
    JOIN attendance_user u ON u.id = e.student_id
    LEFT JOIN attendance_attendancerecord r
        ON r.student_id = e.student_id AND r.class_session_id = %s
    WHERE e.course_id = %s AND e.ended_at IS NULL
    ORDER BY u.name, u.id
"""


@dataclasses.dataclass
class _Roll:
    """What is measured of one size: the application's ways, and the limits."""

    page: Request
    first_view: Callable[[], object]
    snapshot: Callable[[], Any]
    page_by_hand: Callable[[], str]
    snapshot_by_hand: Callable[[], str]


def run(lab: Lab) -> Section:
    database = lab.fresh_database()
    be_a_worker()
    with psycopg.connect(database, autocommit=True) as connection:
        rolls = {size: _roll(size, connection) for size in PAGE_GOALS}
        statements = {size: statements_of(roll.page) for size, roll in rolls.items()}
        weights = [
            f"{len(roll.page()) / 1000:,.0f} kB with {size:,} rows"
            for size, roll in rolls.items()
        ]
        taken: dict[tuple[int, str], list[float]] = {}
        ways = [field.name for field in dataclasses.fields(_Roll)]
        for turn in range(-1, lab.rounds):
            for size, roll in rolls.items():
                for way in ways:
                    found = milliseconds(getattr(roll, way), REPEATS)
                    if turn >= 0:  # the one before is to warm up
                        taken.setdefault((size, way), []).append(found)
    rows = [
        _row(f"live page, {size:,} rows, in the server", goal, taken, size, "page")
        for size, goal in PAGE_GOALS.items()
    ]
    rows.append(
        Row(
            what=f"statements of the live page, {MANY:,} rows",
            figure=Spread.counted(statements[MANY]),
            goal=f"as many as with {FEW} rows: {statements[FEW]}",
            met=statements[MANY] == statements[FEW],
        )
    )
    first = Spread.of(taken[FEW, "first_view"], "ms")
    rows.append(Row(f"live page, {FEW} rows, first view", first, "information", True))
    rows += [
        _row(
            f"snapshot, {size:,} rows, read and as JSON", goal, taken, size, "snapshot"
        )
        for size, goal in SNAPSHOT_GOALS.items()
    ]
    return Section(
        "The live page",
        rows,
        [
            "The page: from the request to the last byte inside the WSGI application, "
            "with a log-in session in the database; half of the class is marked, by "
            "check-in, in bulk and by hand. The process has drawn the class session's "
            "QR code before and keeps it; the first view draws it. The limit is one "
            "query by psycopg for what the rows show, joined as table cells or as "
            f"JSON. The page's HTML, uncompressed: {', '.join(weights)}."
        ],
    )


def _row(
    what: str,
    goal: float,
    taken: dict[tuple[int, str], list[float]],
    size: int,
    way: str,
) -> Row:
    figures, limits = taken[size, way], taken[size, f"{way}_by_hand"]
    figure = Spread.of(figures, "ms")
    met = figure.median <= goal
    return Row(
        what=what,
        figure=figure,
        goal=f"≤ {goal:g} ms",
        met=met,
        against="psycopg by hand",
        limit=Spread.of(limits, "ms"),
        ratio=ratios(figures, limits),
        reason="" if met or way != "page" else REASON,
    )


def _roll(size: int, connection: psycopg.Connection) -> _Roll:
    from attendance import codes, selectors
    from bench.rolls import analyze, mark_some
    from bench.school import cookie_headers, make_school

    school = make_school(size)
    mark_some(school)
    analyze()
    (headers,) = cookie_headers([school.teacher])
    pk, course_id = school.class_session.pk, school.course.pk
    page = Request("GET", f"/class-sessions/{pk}/", headers)

    def first_view() -> object:
        codes.qr_svg.cache_clear()
        return page()

    read = functools.partial(connection.execute, _ROSTER, (pk, course_id))
    return _Roll(
        page=page,
        first_view=first_view,
        snapshot=lambda: json.dumps(selectors.snapshot(pk)),
        page_by_hand=lambda: "".join([_cells(row) for row in read()]),
        snapshot_by_hand=lambda: json.dumps(read().fetchall(), default=str),
    )


def _cells(row: tuple[Any, ...]) -> str:
    cells = "".join([f"<td>{escape(str(value))}</td>" for value in row])
    return f"<tr>{cells}</tr>"
