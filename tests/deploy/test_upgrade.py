"""One release is replaced by the next, process by process, and nobody notices."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.deploy.command_lines import serve
from tests.deploy.conftest import Deployment
from tests.faults.bursts import Burst
from tests.faults.school import School, make_school
from tests.faults.trial import RecordProperty, Trial
from tests.servers import NginxServer, SiteServer, collect_static, site_environment
from tests.servers.process import ROOT, free_port
from tests.waiting import wait_until

NEW_PAGE = """
from django.http import HttpResponse

urlpatterns += [path("new/", lambda request: HttpResponse("the next release"))]
"""


@pytest.fixture
def school(nginx: NginxServer) -> School:
    return make_school(80)


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """What the image would hold of a release with other style sheets and a new page."""
    for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY "):
            _, name, _ = line.split()
            source, target = ROOT / name, tmp_path / name
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, target, ignore=ignore)
            else:
                shutil.copy(source, target)
    for sheet in (tmp_path / "static").rglob("*.css"):
        sheet.write_text(sheet.read_text() + "\n/* the next release */\n")
    with (tmp_path / "attendance_site" / "urls.py").open("a") as urls:
        urls.write(NEW_PAGE)
    return tmp_path


def style_sheet(process: SiteServer) -> str:
    """The path of a style sheet, as a page of that process has it."""
    page = ask(process, "/accounts/login/").decode()
    found = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert found
    return found[1]


def ask(process: SiteServer, path: str) -> bytes:
    status, body = answer_of(process, path)
    assert status == 200, f"{path}: {status}"
    return body


def answer_of(process: SiteServer, path: str) -> tuple[int, bytes]:
    connection = process.connect()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_worker_that_dies_after_the_switch_is_replaced_by_its_like(
    nginx: NginxServer, deployment: Deployment, next_release: Path
) -> None:
    """Not by one that has the models of one release and the views of the next."""
    web = deployment.web[0]
    deployment.switch(next_release)
    try:
        before = web.workers
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: bool(web.workers - before), "there is another worker")
        assert answer_of(web, "/new/")[0] == 404
    finally:
        deployment.switch(ROOT)


def test_what_starts_again_before_the_switch_serves_its_own_files(
    nginx: NginxServer,
    deployment: Deployment,
    next_release: Path,
    environment: dict[str, str],
) -> None:
    """The next release's files are there already, and its list of them is not read."""
    web = deployment.web[0]
    before = style_sheet(web)
    collect_static(environment, folder=next_release)
    web.kill()
    web.start()
    assert style_sheet(web) == before
    assert b"the next release" not in ask(web, before)
    wait_until(functools.partial(nginx.answers_by, web), "nginx asks it again")


def test_a_monitor_s_kept_connection_does_not_hold_up_the_rotation(
    nginx: NginxServer, deployment: Deployment
) -> None:
    web = deployment.web[0]
    with contextlib.closing(web.connect()) as monitor:
        monitor.request("GET", "/healthz")
        monitor.getresponse().read()
        nginx.rotate("down", web)
        nginx.rotate("up", web)
        monitor.request("GET", "/healthz")
        assert monitor.getresponse().read()
    wait_until(functools.partial(nginx.answers_by, web), "nginx asks it again")


def test_a_rolling_upgrade_in_a_burst(
    nginx: NginxServer,
    deployment: Deployment,
    school: School,
    next_release: Path,
    environment: dict[str, str],
    record_property: RecordProperty,
) -> None:
    """As deploy/README.md says: no request fails, and every stream comes back."""
    before = style_sheet(nginx)
    collect_static(environment, folder=next_release)
    deployment.switch(next_release)
    env = {**site_environment(), **environment}
    migrated = serve("migrate", env=env, folder=deployment.current)
    assert migrated.returncode == 0, migrated.stderr
    fault = "every process replaced by the next release in a burst"
    bursts: list[Burst] = []

    def under_load() -> Burst:
        """Students for the next step; those of the one before are done."""
        students = school.students[20 * len(bursts) :][:20]
        bursts.append(Burst(school, [nginx], students=students, rate=10))
        return bursts[-1]

    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere([nginx])
        for web in deployment.web:
            with under_load() as burst:
                burst.wait_for(2)
                nginx.rotate("down", web)
                web.restart()
                assert serve("ready", env=web.environment()).returncode == 0
                nginx.rotate("up", web)
                wait_until(functools.partial(nginx.answers_by, web), "nginx asks it")
            if len(bursts) == 1:
                # Half are new: whoever is asked, all get what their page names.
                sheets = {style_sheet(nginx) for _ in range(6)}
                assert before in sheets and len(sheets) == 2
                for sheet in [*sheets] * 3:
                    ask(nginx, sheet)
        for live in deployment.live:
            with under_load() as burst:
                burst.wait_for(2)
                live.restart()
                assert serve("ready", env=live.environment()).returncode == 0
                trial.wait_until_shown()
        trial.fault_is_over()
        trial.verdict(*bursts)
        assert [error for burst in bursts for error in burst.errors()] == []
        for screen in trial.screens.all:
            # Not one line was cut; a try that came too early may not have been let in.
            assert len(screen.frames) > 1
            assert screen.codes.count(1012) == len(screen.frames) - 1
    assert style_sheet(nginx) != before
    assert ask(nginx, "/new/") == b"the next release"


def test_who_cannot_serve_is_not_ready() -> None:
    where = {"ATTENDANCE_PORT": str(free_port()), "ATTENDANCE_READY_SECONDS": "0"}
    done = serve("ready", env={**os.environ, **where})
    assert done.returncode == 1
    assert done.stderr.startswith("not ready: ")
