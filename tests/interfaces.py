"""
The machine's addresses: either they change, or browsers load something.

Chromium breaks off whatever it loads, with ERR_NETWORK_CHANGED, when an address of the
machine comes or goes, and tests in other processes make networks of their own.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# For all tests of this person on this machine: the addresses are the machine's.
_FOLDER = Path(tempfile.gettempdir()) / f"attendance-test-interfaces-{os.getuid()}"


@contextmanager
def unchanged() -> Iterator[None]:
    """No test changes an address meanwhile; as many at a time as like to."""
    # Whoever is about to change one goes first: else these would never all be gone.
    with _held("turn", fcntl.LOCK_EX):
        pass
    with _held("addresses", fcntl.LOCK_SH):
        yield


@contextmanager
def changing() -> Iterator[None]:
    """Nobody else minds an address that comes or goes meanwhile."""
    with _held("turn", fcntl.LOCK_EX), _held("addresses", fcntl.LOCK_EX):
        yield


@contextmanager
def _held(name: str, how: int) -> Iterator[None]:
    _FOLDER.mkdir(exist_ok=True)
    # Held until the file is closed, by the system too if the process dies.
    with (_FOLDER / name).open("w") as file:
        fcntl.flock(file, how)
        yield
