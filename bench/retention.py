"""What a school keeps for ever: arithmetic over what a loaded one takes."""

from __future__ import annotations

from collections.abc import Mapping

from bench.loading import Kept

STUDENTS = 30_000
# Class sessions of one student on a day of teaching, and such days in a year.
CLASSES_A_DAY = 5
DAYS = 190


def a_year(kept: Mapping[str, Kept]) -> str:
    """A year of records and events of such a school, as a note."""
    records = STUDENTS * CLASSES_A_DAY * DAYS
    held = next(iter(kept.values())).rows
    lines = [
        f"A school of {STUDENTS:,} students with {CLASSES_A_DAY} class sessions a day "
        f"on {DAYS} days makes {records / 1e6:.1f} million records a year. From what "
        f"{held:,} take here:",
        "",
        "| table | rows a year | bytes a row | of indexes | a year | VACUUM of it |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    total, seconds = 0.0, 0.0
    for table, found in kept.items():
        years = records / held
        size = (found.table_bytes + found.index_bytes) * years
        total += size
        seconds += found.vacuum_seconds * years
        lines.append(
            f"| {table} | {found.rows * years / 1e6:.1f} million | "
            f"{found.table_bytes / found.rows:.0f} | "
            f"{found.index_bytes / found.rows:.0f} | {size / 1e6:,.0f} MB | "
            f"{found.vacuum_seconds * years:.0f} s |"
        )
    lines.append(f"| together | | | | {total / 1e6:,.0f} MB | {seconds:.0f} s |")
    return "\n".join(lines)
