"""One release is replaced by the next, process by process, and nobody notices."""

from __future__ import annotations

import functools
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.command_lines import serve
from tests.deploy.conftest import Deployment
from tests.faults.bursts import Burst
from tests.faults.school import School, make_school
from tests.faults.trial import RecordProperty, Trial
from tests.servers import NginxServer, production_environment, site_environment
from tests.servers.process import ROOT, free_port
from tests.waiting import wait_until


@pytest.fixture
def school(nginx: NginxServer) -> School:
    return make_school(80)


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """What the image would hold of a release with another style sheet."""
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
    return tmp_path


def style_sheet(process: NginxServer) -> str:
    """The path of a style sheet, as a page of that process has it."""
    page = ask(process, "/accounts/login/").decode()
    found = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert found
    return found[1]


def ask(nginx: NginxServer, path: str) -> bytes:
    connection = nginx.connect()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200, f"{path}: {response.status}"
        return response.read()
    finally:
        connection.close()


def test_a_rolling_upgrade_in_a_burst(
    nginx: NginxServer,
    deployment: Deployment,
    school: School,
    next_release: Path,
    tmp_path_factory: pytest.TempPathFactory,
    record_property: RecordProperty,
) -> None:
    """As deploy/README.md says: no request fails, and every stream comes back."""
    env = production_environment(
        tmp_path_factory.mktemp("next"), folder=next_release, WEB_CONCURRENCY="1"
    )
    migrated = serve("migrate", env={**site_environment(), **env}, folder=next_release)
    assert migrated.returncode == 0, migrated.stderr
    before = style_sheet(nginx)
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
                web.stop()
                web.folder, web.env = next_release, env
                web.start()
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
                live.stop()
                live.folder, live.env = next_release, env
                live.start()
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


def test_who_cannot_serve_is_not_ready() -> None:
    where = {"ATTENDANCE_PORT": str(free_port()), "ATTENDANCE_READY_SECONDS": "0"}
    done = serve("ready", env={**os.environ, **where})
    assert done.returncode == 1
    assert done.stderr.startswith("not ready: ")
