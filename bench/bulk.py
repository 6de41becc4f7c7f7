"""Marking a whole class: the bulk operation, and the closing of a class session."""

from __future__ import annotations

import dataclasses
import functools
import json

import psycopg

from bench.figures import Row, Section, Spread, ratios
from bench.inside import Request, be_a_worker, milliseconds, statements_of
from bench.lab import Lab

SIZES = (10, 100, 1000)
GOAL_MS = 150.0
REASON = (
    "By the profile half is the database (records inserted, the event with all of them "
    "as JSON, two foreign keys a record checked at the commit), the rest Python: what "
    "the message says of each student, its JSON, the seal over it, and the answer."
)
# Operations of one round, of which the median counts.
REPEATS = 5


def run(lab: Lab) -> Section:
    return measure(lab, closing=False)


def measure(lab: Lab, *, closing: bool) -> Section:
    """Either operation with SIZES unmarked students, over the API in this process."""
    from attendance.models import AttendanceEvent
    from bench.by_hand import mark_absent
    from bench.rolls import analyze
    from bench.school import bearer_headers, make_school, new_class_session

    database = lab.fresh_database()
    be_a_worker()
    tail, body = "close/", b""
    if not closing:
        tail = "bulk/"
        asked = {"operation": "mark_absent", "only_unmarked": True, "reason": "End"}
        body = json.dumps(asked).encode()
    messages = 2 if closing else 1
    statements: dict[int, int] = {}
    ours, limits = [], []
    for size in SIZES:
        school = make_school(size)
        analyze()
        (headers,) = bearer_headers([school.teacher])

        def prepare() -> Request:
            """A new class session with nobody marked, and the request to mark all."""
            session = new_class_session(school.course, school.teacher)  # noqa: B023
            path = f"/api/v1/class-sessions/{session.pk}/{tail}"
            return Request("POST", path, headers, body)  # noqa: B023

        first = prepare()
        statements[size] = statements_of(first)
        written = AttendanceEvent.objects.filter(type="attendance_update").latest("pk")
        sent = AttendanceEvent.objects.filter(
            class_session_id=written.class_session_id, revision__gt=1
        )
        if sent.count() != messages or len(written.data["records"]) != size:
            raise RuntimeError(f"{size} students: not {messages} message(s) for all")
    # The largest is left over, and measured.
    with psycopg.connect(database, autocommit=True) as connection:
        for turn in range(-1, lab.rounds):
            found = Spread.of([milliseconds(prepare()) for _ in range(REPEATS)], "ms")
            by_hand = []
            for _ in range(REPEATS):
                session = new_class_session(school.course, school.teacher)
                one = dataclasses.replace(school, class_session=session)
                work = functools.partial(
                    mark_absent, connection, one, written.pk, closing=closing
                )
                by_hand.append(milliseconds(work))
            if turn >= 0:  # the one before is to warm up
                ours.append(found.median)
                limits.append(Spread.of(by_hand, "ms").median)
    what = "closing" if closing else "unmarked → absent"
    goal = "beside it by hand" if closing else f"≤ {GOAL_MS:g} ms"
    figure = Spread.of(ours, "ms")
    met = closing or figure.median <= GOAL_MS
    few, many = statements[SIZES[0]], statements[SIZES[-1]]
    counted = ", ".join(f"{statements[size]} for {size:,}" for size in SIZES)
    return Section(
        "Closing a class session" if closing else "Marking in bulk",
        [
            Row(
                what=f"{what}, {SIZES[-1]:,} unmarked",
                figure=figure,
                goal=goal,
                met=met,
                against="by hand, with psycopg",
                limit=Spread.of(limits, "ms"),
                ratio=ratios(ours, limits),
                reason="" if met else REASON,
            ),
            Row(
                what=f"statements, {SIZES[-1]:,} unmarked",
                figure=Spread.counted(many),
                goal=f"as many as for {SIZES[0]}: {few}",
                met=few == many,
            ),
        ],
        [
            "Over the API inside this process, with a token; the answer is whole when "
            f"the clock stops. Statements: {counted}. "
            + (
                "Two messages: everybody absent, and closed. "
                if closing
                else "One message, whatever the number. "
            )
            + "By hand it is one INSERT … SELECT for the records and a copy of an "
            "event that is there already: nothing is judged, nothing told to Python."
        ],
    )
