"""Waiting for what cannot be waited for otherwise."""

import time
from collections.abc import Callable

# A guard against hanging, for a loaded machine.
PATIENCE_SECONDS = 20.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until `condition` holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.05)
