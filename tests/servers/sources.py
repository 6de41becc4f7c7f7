"""Where the programs of the test servers may come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .process import ServerError


class Source(NamedTuple):
    path: Path
    whence: str


def may_use(kind: str) -> bool:
    """Whether TEST_SERVERS, "system" or "wheels", admits this kind. Unset: both."""
    wanted = os.environ.get("TEST_SERVERS", "")
    if wanted not in ("", "system", "wheels"):
        raise ServerError('TEST_SERVERS is neither "system" nor "wheels".')
    return wanted in ("", kind)
