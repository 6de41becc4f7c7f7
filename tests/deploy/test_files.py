"""The shipped files name what there is, and start nothing but what tests start, too."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.servers.nginx import SHIPPED
from tests.servers.process import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: Any = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service["image"].startswith("attendance:")
}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
ROLES = {"web", "live", "migrate", "nightly", "ready"}


def test_units_start_the_command_lines_that_are_tested() -> None:
    started = {
        line.partition("=")[2]
        for unit in UNITS
        for line in unit.read_text().splitlines()
        if line.startswith("ExecStart")
    }
    assert started == {f"/opt/attendance/current/deploy/serve {role}" for role in ROLES}


def test_compose_starts_the_command_lines_that_are_tested() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["deploy/serve"]' in dockerfile
    assert {name: service["command"] for name, service in OURS.items()} == {
        **{name: ["web"] for name in ("web1", "web2")},
        **{name: ["live"] for name in ("live1", "live2")},
        "migrate": ["migrate"],
        "nightly": ["nightly"],
    }
    for name in ("web1", "web2", "live1", "live2"):
        assert OURS[name]["healthcheck"]["test"] == ["CMD", "deploy/serve", "ready"]
        waits_for = OURS[name]["depends_on"]["migrate"]
        assert waits_for == {"condition": "service_completed_successfully"}


def test_compose_s_nginx_knows_all_its_processes() -> None:
    text = (SHIPPED / "upstreams.compose.conf").read_text()
    named = set(re.findall(r"^    server (\S+) ", text, re.MULTILINE))
    assert named == {
        f"{name}:{service['environment']['ATTENDANCE_PORT']}"
        for name, service in OURS.items()
        if service["command"][0] in ("web", "live")
    }


def test_compose_mounts_files_that_exist() -> None:
    mounted = [
        volume.partition(":")[0]
        for volume in COMPOSE["services"]["nginx"]["volumes"]
        if not volume.startswith("./tls:")
    ]
    assert mounted and all((DEPLOY / path).exists() for path in mounted)


@pytest.mark.parametrize("name", ["environment.example", "database.example"])
def test_every_variable_of_the_examples_is_explained(name: str) -> None:
    readme = (ROOT / "README.md").read_text()
    for line in (DEPLOY / name).read_text().splitlines():
        variable = re.match(r"#?([A-Z_]+)=", line)
        if variable and not variable[1].startswith("POSTGRES_"):
            assert f"`{variable[1]}`" in readme
