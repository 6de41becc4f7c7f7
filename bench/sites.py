"""The arrangements that are measured, as processes of their own."""

from __future__ import annotations

import contextlib
import http.client
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

import run
from bench.lab import Lab
from tests.servers import ProductionServer, SiteServer

# A site has so many: the arrangement is that of a machine with two cores.
WORKERS = "2"


class Process(SiteServer):
    """One server process of the site, with the lab's environment."""

    def __init__(self, lab: Lab, words: list[str], **more: str) -> None:
        super().__init__(env=lab.environment(**more))
        self.name = words[0]
        self._words = words

    def command(self) -> list[str]:
        return [sys.executable, "-m", *(w.format(port=self.port) for w in self._words)]

    def environment(self) -> dict[str, str]:
        return self.env


class Deployed(ProductionServer):
    """One process of the site as `deploy/serve` has it, ready when that says so."""

    def is_ready(self) -> bool:
        # As deploy/ready.py asks it. A page would have the live process import what it
        # never needs.
        try:
            status, _ = _get(self, "/readyz?exclude=redis")
        except (OSError, http.client.HTTPException):
            return False
        return status == http.client.OK


class Site:
    """Where HTTP and where WebSockets go; the same port in one-process arrangements."""

    def __init__(self, web: SiteServer, live: SiteServer) -> None:
        self.web = web
        self.live = live

    @property
    def processes(self) -> list[SiteServer]:
        return [self.web] if self.web is self.live else [self.web, self.live]

    def metric(self, name: str, **labels: str) -> float:
        """The metric with these labels, the sum of all others and of all processes."""
        return sum(_metric(process, name, labels) for process in self.processes)


def family(server: SiteServer) -> list[int]:
    """The process of the server, and all below it."""
    found = [server.pid]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def _get(server: SiteServer, path: str) -> tuple[int, str]:
    """Status and text of the answer."""
    connection = server.connect()
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _metric(server: SiteServer, name: str, labels: dict[str, str]) -> float:
    status, text = _get(server, "/metrics")
    if status != http.client.OK:
        raise RuntimeError(f"{server.name} shows no metrics: {status}")
    return sum(
        sample.value
        for found in text_string_to_metric_families(text)
        for sample in found.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


@contextlib.contextmanager
def production(lab: Lab, **more: str) -> Iterator[Site]:
    """What `deploy/serve` starts: gunicorn for HTTP, daphne for the streams."""
    environment = lab.environment(
        # deploy/serve finds its programs there.
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        ATTENDANCE_DEMO="0",
        WEB_CONCURRENCY=WORKERS,
        **more,
    )
    web = Deployed("web", env=environment)
    live = Deployed("live", env=environment)
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
    """What `run.py serve` becomes when all is installed: one daphne for all."""
    words = ["run", run.SERVE_INSTALLED, "127.0.0.1", "{port}"]
    more = {"ATTENDANCE_DEMO": "1", **more}
    with Process(lab, words, **more) as both:
        yield Site(both, both)
