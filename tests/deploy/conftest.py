"""One site behind nginx for a whole file of tests."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

import pytest

from tests.needs import need
from tests.servers import NginxServer, ProductionServer, production_environment
from tests.servers.nginx import find_nginx
from tests.waiting import wait_until


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """nginx and the processes behind it."""

    nginx: NginxServer
    web: list[ProductionServer]
    live: list[ProductionServer]

    @property
    def processes(self) -> list[ProductionServer]:
        return [*self.web, *self.live]


@pytest.fixture(scope="module")
def environment(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Of a site in production, on the tests' database and Redis."""
    var_dir = tmp_path_factory.mktemp("var")
    return production_environment(var_dir, WEB_CONCURRENCY="1")


@pytest.fixture(scope="module")
def deployment(environment: dict[str, str]) -> Iterator[Deployment]:
    """Two web and two live processes behind nginx."""
    need(find_nginx(), "no nginx: install the package nginx")
    web = [ProductionServer("web", env=environment) for _ in range(2)]
    live = [ProductionServer("live", env=environment) for _ in range(2)]
    nginx = NginxServer(web, live)
    try:
        for server in [*web, *live, nginx]:
            server.start()
        yield Deployment(nginx, web, live)
    finally:
        # nginx first: gunicorn waits for it to let go.
        for server in [nginx, *live, *web]:
            server.close()


@pytest.fixture
def nginx(transactional_db: None, deployment: Deployment) -> NginxServer:
    """nginx in front of a whole site; what the test commits is there."""
    for process in deployment.processes:
        if not process.running:
            process.start()
            if process in deployment.web:
                # It was left out, for some seconds, when it could not be reached.
                wait_until(
                    functools.partial(deployment.nginx.answers_by, process),
                    "nginx asks it again",
                )
    return deployment.nginx
