"""The same operations in schools of 10² to 10⁷ records: cost must not grow."""

from __future__ import annotations

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.figures import Row, Section, Spread, ratios
from bench.grown import Act, Grown
from bench.lab import Lab, say
from bench.loading import Size
from bench.plans import queries_of
from bench.retention import a_year

SIZES = (100, 10_000, 1_000_000, 10_000_000)
GOAL = 1.3
CALLS = 15
# Of what grows all the same.
_COUNTED = (
    "The contract's `count` is exact, and an administrator sees everything: one pass "
    "over the table, or an index of it. Whoever names a course, a class session or a "
    "student counts these alone."
)
_REASONS = {
    "records of everybody": _COUNTED,
    "class sessions of everybody": _COUNTED,
}
# No plan explains this by itself: an index or a redesign is due.
_UNEXPLAINED = "Not explained yet: its slowest statement is below."


def run(lab: Lab) -> Section:
    # It would get to the rows between their loading and the VACUUM that is timed.
    with lab.without_autovacuum():
        return _measured(lab)


def _measured(lab: Lab) -> Section:
    schools = []
    for records in SIZES:
        say(f"Loading {records:,} records and their events.")
        schools.append(Grown(lab, Size(records)))
    rows, table, plans = [], [*_HEAD], []
    for name in schools[0].operations():
        costs: dict[Size, list[float]] = defaultdict(list)
        for _ in range(lab.rounds):
            for size, cost in _round(schools, name).items():
                costs[size].append(cost)
        blocks = [_blocks(school, name) for school in schools]
        table.append(_line(name, costs, blocks))
        say(table[-1])
        row = _row(name, list(costs.values()))
        rows.append(row)
        if not row.met:
            plans.append(_worst_plan(schools[-1], name))
    notes = ["\n".join(table), a_year(schools[-1].kept), *plans]
    return Section("Growth", rows, notes)


def _row(name: str, costs: Sequence[list[float]]) -> Row:
    ratio = ratios(costs[-1], costs[0])
    met = ratio.median <= GOAL
    return Row(
        what=name,
        figure=Spread.of(costs[-1], "ms"),
        goal=f"≤ {GOAL} ×",
        met=met,
        against=f"with {SIZES[0]:,} records",
        limit=Spread.of(costs[0], "ms"),
        ratio=ratio,
        reason="" if met else _REASONS.get(name, _UNEXPLAINED),
    )


_HEAD = (
    "Milliseconds (median), and blocks of 8 kB that its SELECTs look at, by the "
    "number of records in the school:",
    "",
    "| what | " + " | ".join(f"{size:,}" for size in SIZES) + " |",
    "| --- " * (len(SIZES) + 1) + "|",
)


def _line(name: str, costs: Mapping[Size, list[float]], blocks: Sequence[int]) -> str:
    cells = [
        f"{statistics.median(rounds):.1f} ms, {looked_at:,}"
        for rounds, looked_at in zip(costs.values(), blocks, strict=True)
    ]
    return "| " + " | ".join([name, *cells]) + " |"


def _round(schools: Sequence[Grown], name: str) -> dict[Size, float]:
    """By size, the median of CALLS calls in milliseconds, in turns with the others."""
    took: dict[Size, list[float]] = defaultdict(list)
    for call in range(CALLS + 1):
        for school in schools:
            school.use()
            milliseconds = _timed(school.operations()[name]()) * 1000
            if call:  # The first finds no plan of a query and no page in memory.
                took[school.size].append(milliseconds)
    return {size: statistics.median(times) for size, times in took.items()}


def _timed(act: Act) -> float:
    # Its pauses would fall on one size or the other by chance.
    gc.disable()
    try:
        began = time.perf_counter()
        act()
        return time.perf_counter() - began
    finally:
        gc.enable()


def _blocks(school: Grown, name: str) -> int:
    school.use()
    return sum(query.blocks() for query in queries_of(school.operations()[name]()))


def _worst_plan(school: Grown, name: str) -> str:
    school.use()
    queries = queries_of(school.operations()[name]())
    worst = max(queries, key=lambda query: query.milliseconds())
    return (
        f"*{name}*, its slowest statement with "
        f"{school.size.records:,} records:\n\n```\n{worst.sql}\n{worst.plan()}\n```"
    )
