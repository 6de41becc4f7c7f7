"""
The table of faults: printed once at the end, and written down on request.

A plugin, so that it is loaded by the process that prints; the rows come from the
workers as properties of their reports.
"""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path
from typing import Any

import pytest

GUARANTEES = Path(__file__).resolve().parents[2] / "docs" / "guarantees.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
COLUMNS = {
    "fault": "fault",
    "screens": "screens",
    "changes": "changes made",
    "shown": "shown",
    "lost": "lost",
    "duplicated": "duplicated",
    "healed": "time to heal (s)",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-guarantees",
        action="store_true",
        help="write the table of faults into docs/guarantees.md, if nothing failed",
    )


def pytest_terminal_summary(
    terminalreporter: Any, exitstatus: int, config: pytest.Config
) -> None:
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if getattr(report, "when", "") == "call"
    ]
    # The workers end in any order.
    rows = [
        {column: str(value[column]) for column in COLUMNS}
        for report in sorted(reports, key=lambda report: report.nodeid)
        for name, value in report.user_properties
        if name == "fault"
    ]
    if not rows:
        return
    lines = table(rows)
    terminalreporter.section("faults")
    for line in lines:
        terminalreporter.write_line(line)
    if config.getoption("--write-guarantees"):
        if exitstatus != pytest.ExitCode.OK:
            terminalreporter.write_line("Not written down, as something failed.")
            return
        write(GUARANTEES, [describe_run(), "", *lines])


def table(rows: list[dict[str, str]]) -> list[str]:
    """The rows as a Markdown table that is also one in plain text."""
    rows = [COLUMNS, *rows]
    widths = {name: max(len(row[name]) for row in rows) for name in COLUMNS}
    rows.insert(1, {name: "-" * width for name, width in widths.items()})
    return [
        "| " + " | ".join(row[n].ljust(width) for n, width in widths.items()) + " |"
        for row in rows
    ]


def describe_run() -> str:
    """When and on what: without the parenthesis that says where a program lies."""
    servers = re.sub(r" \([^)]*\)", "", os.environ["ATTENDANCE_TEST_SERVERS"])
    today = datetime.date.today().isoformat()
    return f"The last run: {today}, {servers}, {os.cpu_count()} cores."


def write(path: Path, lines: list[str]) -> None:
    """Put `lines` between the two marks in the file."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text("\n".join([before + BEGIN, *lines, END]) + after)
