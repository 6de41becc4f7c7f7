"""The arrangements that are measured, as processes of their own."""

from __future__ import annotations

import contextlib
import http.client
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.lab import Lab
from tests.servers import Server


class Process(Server):
    """One server process of the site, with the lab's environment."""

    def __init__(self, lab: Lab, words: list[str], **more: str) -> None:
        super().__init__()
        self.name = words[0]
        self._words = words
        self._env = lab.environment(**more)

    def command(self) -> list[str]:
        return [sys.executable, "-m", *(w.format(port=self.port) for w in self._words)]

    def environment(self) -> dict[str, str]:
        return self._env

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/accounts/login/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def family(self) -> list[int]:
        """The process and all below it."""
        found = [self.pid]
        for pid in found:
            tasks = Path(f"/proc/{pid}/task")
            for children in tasks.glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return found


class Site:
    """Where HTTP and where WebSockets go; the same port in one-process arrangements."""

    def __init__(self, web: Process, live: Process) -> None:
        self.web = web
        self.live = live

    @property
    def processes(self) -> list[Process]:
        return [self.web] if self.web is self.live else [self.web, self.live]


# What deploy/serve starts, on a port of the bench's own choice.
GUNICORN = [
    *["gunicorn", "-c", "deploy/gunicorn.conf.py", "attendance_site.wsgi"],
    *["--bind", "127.0.0.1:{port}"],
    *["--worker-class", "gthread", "--workers", "2", "--threads", "4"],
    *["--keep-alive", "75", "--log-level", "error"],
]
DAPHNE = [
    *["daphne", "-b", "127.0.0.1", "-p", "{port}", "-v", "0"],
    *["--ping-interval", "20", "--ping-timeout", "30"],
    *["--application-close-timeout", "5"],
]


@contextlib.contextmanager
def production(lab: Lab, **more: str) -> Iterator[Site]:
    """gunicorn for HTTP, daphne for the streams."""
    web = Process(lab, GUNICORN, **more)
    live = Process(lab, [*DAPHNE, "attendance_site.asgi:application"], **more)
    with web, live:
        yield Site(web, live)


@contextlib.contextmanager
def stock(lab: Lab, **more: str) -> Iterator[Site]:
    """The rival (bench/stock): one daphne for all, as everybody begins."""
    words = ["daphne", "-b", "127.0.0.1", "-p", "{port}", "-v", "0"]
    more = {"DJANGO_SETTINGS_MODULE": "bench.stock.settings", **more}
    with Process(lab, [*words, "bench.stock.asgi:application"], **more) as both:
        yield Site(both, both)


@contextlib.contextmanager
def embedded(lab: Lab, **more: str) -> Iterator[Site]:
    """What `run.py serve` runs once the database is prepared: one daphne for all."""
    words = [*DAPHNE, "attendance_site.asgi:application"]
    more = {"ATTENDANCE_DEMO": "1", **more}
    with Process(lab, words, **more) as both:
        yield Site(both, both)
