"""One site behind nginx for a whole file of tests, and a history worth keeping."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from attendance.models import User
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import override_status
from tests.faults.school import School, make_school
from tests.needs import need_nginx
from tests.servers import (
    NginxServer,
    PostgresServer,
    ProductionServer,
    production_environment,
)
from tests.servers.process import ROOT
from tests.servers.site import Role
from tests.waiting import wait_until

ROLES: tuple[Role, ...] = ("web", "live")


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """nginx and the processes behind it, which start from the release of a link."""

    current: Path
    nginx: NginxServer
    web: list[ProductionServer]
    live: list[ProductionServer]

    @property
    def processes(self) -> list[ProductionServer]:
        return [*self.web, *self.live]

    def switch(self, release: Path) -> None:
        """`ln -sfn`: what starts from now on is of that release."""
        new = self.current.with_name("new")
        new.symlink_to(release)
        os.replace(new, self.current)


@pytest.fixture(scope="module")
def environment(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Of a site in production, on the tests' database and Redis."""
    var_dir = tmp_path_factory.mktemp("var")
    return production_environment(var_dir, WEB_CONCURRENCY="1")


@pytest.fixture(scope="module")
def deployment(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Two web and two live processes behind nginx."""
    need_nginx()
    current = tmp_path_factory.mktemp("releases") / "current"
    current.symlink_to(ROOT)
    web, live = (
        [ProductionServer(role, env=environment, folder=current) for _ in range(2)]
        for role in ROLES
    )
    nginx = NginxServer(web, live)
    try:
        for server in [*web, *live, nginx]:
            server.start()
        yield Deployment(current, nginx, web, live)
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


@pytest.fixture
def history(own_database: PostgresServer) -> School:
    """A class session with a check-in against a teacher's mark, and more."""
    school = make_school(3)
    first, second, _ = school.students
    override_status(
        class_session=school.class_session,
        actor=school.teacher,
        student_id=first.pk,
        status="absent",
        reason="not seen",
    )
    for student in (first, second):
        check_in(school, student)
    return school


def check_in(school: School, student: User) -> None:
    code = school.class_session.verification_code or ""
    check_in_by_code(student=student, code=code)
