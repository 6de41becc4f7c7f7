"""`run.py` on the command line, where it has nothing to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parent.parent / "run.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUN), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_help_names_the_commands() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("serve", "test", "bench"):
        assert f"python3 run.py {command} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sevre"], "There is no command 'sevre'."),
        (["serve", "x"], "'x' is not HOST:PORT, as in 127.0.0.1:8000."),
        (["serve", "::1:80"], "'::1:80' is not HOST:PORT, as in 127.0.0.1:8000."),
        (["serve", "localhost:0"], "'localhost:0' has no port from 1 to 65535."),
        (["serve", "1", "2"], "serve takes one argument at most: HOST:PORT."),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], sentence: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == sentence
