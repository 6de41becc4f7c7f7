"""From `run.py serve` to its first answer, with everything installed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from bench.figures import Row, Section, Spread
from bench.lab import Lab
from tests.servers import SiteServer

# What the lab has set for production, and the demo is to do without.
_LEFT_OUT = (
    "DJANGO_SETTINGS_MODULE",
    "DJANGO_SECRET_KEY",
    "DJANGO_ALLOWED_HOSTS",
    "DATABASE_URL",
    "REDIS_URL",
    "ATTENDANCE_HTTPS",
)


class Demo(SiteServer):
    """`run.py serve`, with its files in the server's own directory."""

    name = "run.py serve"
    start_seconds = 60.0

    def command(self) -> list[str]:
        return [sys.executable, "run.py", "serve", f"127.0.0.1:{self.port}"]

    def environment(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if k not in _LEFT_OUT}
        return {**ours, "ATTENDANCE_VAR_DIR": f"{self.directory}/var"}


def run(lab: Lab) -> Section:
    first: list[float] = []
    again: list[float] = []
    with Demo():
        pass  # so that everything is installed, and compiled
    for _ in range(lab.rounds):
        demo = Demo()
        first.append(_seconds(demo.start))
        demo.stop()
        again.append(_seconds(demo.start))
        demo.close()
    return Section(
        "Cold start",
        [
            _row("with a demo school that is there already", again),
            _row("making the demo school", first),
        ],
        [
            "`python3 run.py serve` from its beginning to the first 200 of "
            "`/accounts/login/`, all requirements installed."
        ],
    )


def _row(how: str, seconds: list[float]) -> Row:
    found = Spread.of(seconds, "s")
    return Row(f"cold start, {how}", found, "≤ 3 s", found.median <= 3)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
