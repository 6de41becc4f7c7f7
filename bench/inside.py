"""Requests to the WSGI application in this process: what the server alone takes."""

from __future__ import annotations

import dataclasses
import io
import logging
import os
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A request, to be sent as often as one likes."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def __call__(self) -> bytes:
        """Ask as gunicorn does, all middleware included; the body of a 200."""
        from attendance_site.wsgi import application

        headers = self.headers.items()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": self.path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(self.body)),
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            **{f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers},
        }
        statuses: list[str] = []

        def start_response(status: str, headers: Any, error: Any = None) -> Any:
            statuses.append(status)

        response: Any = application(environ, start_response)
        content = b"".join(response)
        response.close()
        if statuses != ["200 OK"]:
            raise RuntimeError(f"{self.path}: {statuses}: {content[:500]!r}")
        return content


def be_a_worker() -> None:
    """
    From now on be as a worker of gunicorn is, to requests and to the collector.

    A log line a request is made, as in production, and goes nowhere.
    """
    import attendance_site.wsgi  # noqa: F401 (it sets the logs up anew)
    from attendance_site.startup import spare_full_collections

    import_module(settings.ROOT_URLCONF)
    spare_full_collections()

    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(Path(os.devnull).open("w"))


def milliseconds(work: Callable[[], object], times: int = 1) -> float:
    """How long `work` takes: the median of so many times, one after the other."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000


def statements_of(work: Callable[[], object]) -> int:
    """How many SQL statements `work` has Django send, without BEGIN and COMMIT."""
    from django.db import connection

    sent = 0

    def count(execute: Any, *args: Any) -> Any:
        nonlocal sent
        sent += 1
        return execute(*args)

    with connection.execute_wrapper(count):
        work()
    return sent
