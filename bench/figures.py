"""What a benchmark finds, and the page that shows it."""

from __future__ import annotations

import collections
import dataclasses
import json
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / "docs" / "performance.json"
PAGE = ROOT / "docs" / "performance.md"


@dataclasses.dataclass(frozen=True)
class Spread:
    """
    One figure over the rounds of a run.

    `rounds` says over how many; None: a number that is counted, the same every time.
    """

    median: float
    low: float
    high: float
    unit: str
    rounds: int | None = None

    @classmethod
    def of(cls, values: Iterable[float], unit: str) -> Spread:
        found = list(values)
        return cls(statistics.median(found), min(found), max(found), unit, len(found))

    @classmethod
    def counted(cls, value: float, unit: str = "") -> Spread:
        return cls(value, value, value, unit)

    def __str__(self) -> str:
        middle = f"{_number(self.median)} {self.unit}".strip()
        if self.rounds == 1:
            return f"{middle} (once)"
        if self.low == self.high:
            return middle
        return f"{middle} ({_number(self.low)} to {_number(self.high)})"


class Figures(collections.defaultdict[str, list[float]]):
    """By what it is of, a figure a round."""

    def __init__(self) -> None:
        super().__init__(list)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of `values` do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


@dataclasses.dataclass(frozen=True)
class Row:
    """
    One line of the table.

    `limit` is what `against` names, measured in turns with the figure; `ratio` is
    figure ÷ limit of the same round, again as a spread. `reason` says why a goal was
    missed: what the profile or the plan showed.
    """

    what: str
    figure: Spread
    goal: str
    met: bool
    against: str = ""
    limit: Spread | None = None
    ratio: Spread | None = None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Section:
    """All that one benchmark has to show. `notes` are paragraphs of Markdown."""

    title: str
    rows: list[Row]
    notes: list[str] = dataclasses.field(default_factory=list)


def ratios(figures: Sequence[float], limits: Sequence[float]) -> Spread:
    """figure ÷ limit, round by round."""
    return Spread.of((f / m for f, m in zip(figures, limits, strict=True)), "×")


def keep(
    name: str, section: Section, machine: str, rounds: int, order: Sequence[str]
) -> None:
    """Put the section into the store in place of its last one, and write the page."""
    stored = json.loads(STORE.read_text()) if STORE.exists() else {}
    stored[name] = {
        **dataclasses.asdict(section),
        "commit": _commit(),
        "machine": machine,
        "rounds": rounds,
    }
    known = {key: stored[key] for key in order if key in stored}
    STORE.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(_page(known))


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", ":!docs")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")


def _page(stored: dict[str, Any]) -> str:
    parts = [
        "# Performance",
        "Written by `python3 run.py bench`; never edited by hand. Everything runs on "
        "one machine, the load generator too, so nothing here is a promise: what "
        "counts are the ratios, each against a limit that was measured in turns with "
        "the figure. Medians over the rounds, with the lowest and the highest; (once) "
        "is a single measurement. A commit with a plus had changes on top.",
    ]
    for section in stored.values():
        parts.append(f"## {section['title']}")
        parts.append(
            "\n".join(
                [
                    "| what | figure | limit | ratio | goal | met |",
                    "| --- | --- | --- | --- | --- | --- |",
                    *(_line(row) for row in section["rows"]),
                ]
            )
        )
        parts += [
            f"*{row['what']}*: {row['reason']}"
            for row in section["rows"]
            if row["reason"]
        ]
        parts += section["notes"]
        parts.append(
            f"Commit {section['commit']}; {_rounds(section)}{section['machine']}."
        )
    return "\n\n".join(parts) + "\n"


def _rounds(section: dict[str, Any]) -> str:
    number = section.get("rounds")
    if number is None:
        return ""  # kept before the number was
    return "one round; " if number == 1 else f"{number} rounds; "


def _line(row: dict[str, Any]) -> str:
    limit = ""
    if row["against"]:
        limit = row["against"]
        if row["limit"]:
            limit += f": {Spread(**row['limit'])}"
    cells = [
        row["what"],
        str(Spread(**row["figure"])),
        limit,
        str(Spread(**row["ratio"])) if row["ratio"] else "",
        row["goal"],
        "yes" if row["met"] else "**no**",
    ]
    return "| " + " | ".join(cells) + " |"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
