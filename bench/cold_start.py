"""From `run.py serve` to its first answer, with everything installed."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from bench.figures import Row, Section, Spread
from bench.lab import Lab
from tests.servers.process import ROOT, free_port

# What the lab has set for production, and the demo is to do without.
_LEFT_OUT = (
    "DJANGO_SETTINGS_MODULE",
    "DJANGO_SECRET_KEY",
    "DJANGO_ALLOWED_HOSTS",
    "DATABASE_URL",
    "REDIS_URL",
    "ATTENDANCE_HTTPS",
)
LIMIT_SECONDS = 60.0


def run(lab: Lab) -> Section:
    first: list[float] = []
    again: list[float] = []
    with tempfile.TemporaryDirectory(prefix="attendance-bench-") as folder:
        _start(folder)  # so that everything is installed, and compiled
    for _ in range(lab.rounds):
        with tempfile.TemporaryDirectory(prefix="attendance-bench-") as folder:
            first.append(_start(folder))
            again.append(_start(folder))
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


def _start(folder: str) -> float:
    """Seconds to the first answer, over the demo's files in `folder`."""
    port = free_port()
    begun = time.monotonic()
    with _serving(folder, port) as process:
        while not _answers(port):
            waited = time.monotonic() - begun
            if process.poll() is not None or waited > LIMIT_SECONDS:
                raise RuntimeError("`run.py serve` does not answer")
            time.sleep(0.01)
        return time.monotonic() - begun


@contextlib.contextmanager
def _serving(folder: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {k: v for k, v in os.environ.items() if k not in _LEFT_OUT}
    process = subprocess.Popen(
        [sys.executable, "run.py", "serve", f"127.0.0.1:{port}"],
        cwd=ROOT,
        env={**environment, "ATTENDANCE_VAR_DIR": folder},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/accounts/login/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
