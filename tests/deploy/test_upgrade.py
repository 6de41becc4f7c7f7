"""One release is replaced by the next, process by process, and nobody notices."""

from __future__ import annotations

import functools
import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.conftest import Deployment
from tests.faults.bursts import Burst
from tests.faults.school import School, make_school
from tests.faults.trial import RecordProperty, Trial
from tests.servers import NginxServer, production_environment
from tests.servers.process import ROOT
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
    before = style_sheet(nginx)
    fault = "every process replaced by the next release in a burst"
    with Trial(fault, school, record_property) as trial:
        trial.watch_everywhere([nginx])
        with Burst(school, [nginx], rate=6) as burst:
            for number, web in enumerate(deployment.web):
                nginx.rotate("down", web)
                web.stop()
                web.folder, web.env = next_release, env
                web.start()
                nginx.rotate("up", web)
                wait_until(functools.partial(nginx.answers_by, web), "nginx asks it")
                if number == 0:
                    # Half are new: whoever is asked, all get what their page names.
                    sheets = {style_sheet(nginx) for _ in range(6)}
                    assert before in sheets and len(sheets) == 2
                    for sheet in sheets:
                        for _ in range(3):
                            ask(nginx, sheet)
            for live in deployment.live:
                live.stop()
                live.folder, live.env = next_release, env
                live.start()
                trial.wait_until_shown()
            assert len(burst.final()) < len(school.students), "over before the upgrade"
            trial.fault_is_over()
        trial.verdict(burst)
        assert burst.errors() == []
        codes = {code for screen in trial.screens.all for code in screen.codes}
        assert codes == {1012}
    assert style_sheet(nginx) != before
