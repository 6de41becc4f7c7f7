"""What the production arrangement holds of the machine's memory, warm."""

from __future__ import annotations

from pathlib import Path

from bench import school
from bench.figures import Row, Section, Spread
from bench.lab import Lab
from bench.sites import production
from bench.trials import SCREENS, attended, check_in_all, make_hall

STUDENTS = 500
# kB of /proc are 1,024 bytes; a megabyte is 10^6.
KIB_PER_MB = 1_000_000 / 1024


def run(lab: Lab) -> Section:
    lab.fresh_database()
    hall = make_hall(STUDENTS)
    headers = school.cookie_headers(hall.school.students)
    whole: list[float] = []
    parts: dict[str, list[float]] = {}
    for _ in range(lab.rounds):
        class_session = hall.new_class_session()
        with production(lab) as site, attended(site, hall, class_session):
            check_in_all(site, class_session, headers)
            sizes = {
                process.name: sum(_megabytes(pid, "Pss") for pid in process.family())
                for process in site.processes
            }
            sizes["all, by RSS"] = sum(
                _megabytes(pid, "Rss")
                for process in site.processes
                for pid in process.family()
            )
        whole.append(sum(sizes[process.name] for process in site.processes))
        for name, size in sizes.items():
            parts.setdefault(name, []).append(size)
    total = Spread.of(whole, "MB")
    listed = "; ".join(f"{n}: {Spread.of(s, 'MB')}" for n, s in parts.items())
    return Section(
        "Memory",
        [
            Row(
                "resident memory, production arrangement, warm",
                total,
                "≤ 260 MB",
                total.median <= 260,
            )
        ],
        [
            f"After {STUDENTS} check-ins, with {SCREENS} screens attached. The sum of "
            "proportional sets (PSS) over all processes: what they share counts once. "
            f"Of it: {listed}, in which what they share counts with each."
        ],
    )


def _megabytes(pid: int, kind: str) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, size = line.partition(":")
        if name == kind:
            return int(size.split()[0]) / KIB_PER_MB
    raise RuntimeError(f"the kernel gives no {kind} of {pid}")
