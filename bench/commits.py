"""
When each check-in was committed, as the web process itself saw it.

A middleware notes whose request runs, by the header MARK, and the moment that COMMIT
has returned, before anything that was left for after it: so what a screen waits for
begins there. It works in any arrangement (`timed`), and costs one `write` a commit.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from django.core.exceptions import MiddlewareNotUsed
from django.db.backends.signals import connection_created

MARK = "X-Bench-Mark"
LOG = "BENCH_COMMITS"

_mark: ContextVar[str] = ContextVar("mark", default="")


class CommitTimes:
    """The middleware. Writes `<mark> <monotonic time>`, a line a commit."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        if LOG not in os.environ:
            raise MiddlewareNotUsed
        self._get_response = get_response
        self._log = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND)
        connection_created.connect(self._watch)

    def __call__(self, request: Any) -> Any:
        token = _mark.set(request.headers.get(MARK, ""))
        try:
            return self._get_response(request)
        finally:
            _mark.reset(token)

    def _watch(self, connection: Any, **_: Any) -> None:
        run_hooks = connection.run_and_clear_commit_hooks
        if getattr(run_hooks, "is_timed", False):
            return  # the connection was made anew

        def timed() -> None:
            if connection.run_on_commit and _mark.get():
                line = f"{_mark.get()} {time.monotonic()!r}\n"
                os.write(self._log, line.encode())
            run_hooks()

        timed.is_timed = True  # type: ignore[attr-defined]
        connection.run_and_clear_commit_hooks = timed


class Commits:
    """The log of an arrangement's processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[int, float]:
        """By mark, the time of the last commit."""
        lines = self._path.read_text().splitlines()
        return {int(mark): float(at) for mark, at in (line.split() for line in lines)}

    def clear(self) -> None:
        self._path.write_text("")


def marked(
    headers: Sequence[dict[str, str]], users: Sequence[Any]
) -> list[dict[str, str]]:
    """The headers of each, with the person's id as mark."""
    return [
        {**sent, MARK: str(user.pk)} for user, sent in zip(users, headers, strict=True)
    ]


@contextlib.contextmanager
def timed(settings: str) -> Iterator[tuple[Commits, dict[str, str]]]:
    """A log, and what to put into the environment of the site's processes."""
    with tempfile.NamedTemporaryFile(prefix="attendance-bench-") as log:
        environment = {
            "DJANGO_SETTINGS_MODULE": "bench.timed_settings",
            "BENCH_SETTINGS": settings,
            LOG: log.name,
        }
        yield Commits(Path(log.name)), environment
