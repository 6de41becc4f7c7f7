"""`deploy/serve` as a command that ends."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.servers.process import ROOT


def serve(
    *arguments: str, env: dict[str, str], folder: Path = ROOT, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """`deploy/serve` with these arguments; what it printed, and its exit code."""
    return subprocess.run(
        [folder / "deploy" / "serve", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
