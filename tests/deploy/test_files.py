"""The shipped files name what there is, and start nothing but what tests start, too."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
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


def test_the_demo_is_served_by_the_same_daphne() -> None:
    """`run.py` has to do without a shell; it keeps the same limits."""
    script = (DEPLOY / "serve").read_text()
    limits = re.findall(r"(--[a-z-]+) (\d+)", script.partition("exec daphne")[2])
    assert len(limits) == 3
    text = (ROOT / "run.py").read_text().partition("CommandLineInterface().run(")[2]
    assert re.findall(r'"(--[a-z-]+)", "(\d+)"', text.partition("return")[0]) == limits


def test_migrations_may_go_past_a_pooler() -> None:
    """The later file has the last word, and need not be there."""
    unit = (DEPLOY / "systemd" / "attendance-migrate.service").read_text()
    assert re.findall("^EnvironmentFile=(.+)$", unit, re.MULTILINE) == [
        "/etc/attendance/environment",
        "-/etc/attendance/migrate",
    ]


def test_compose_starts_the_command_lines_that_are_tested() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["deploy/serve"]' in dockerfile
    assert {name: service["command"] for name, service in OURS.items()} == {
        **{name: ["web"] for name in ("web1", "web2")},
        **{name: ["live"] for name in ("live1", "live2")},
        "migrate": ["migrate"],
        "nightly": ["nightly"],
        "backup": ["backup", "/var/backups/attendance"],
    }
    for name in ("web1", "web2", "live1", "live2"):
        assert OURS[name]["healthcheck"]["test"] == ["CMD", "deploy/serve", "ready"]
        waits_for = OURS[name]["depends_on"]["migrate"]
        assert waits_for == {"condition": "service_completed_successfully"}


def test_compose_starts_no_release_that_nobody_has_named() -> None:
    (image,) = {service["image"] for service in OURS.values()}
    assert image.startswith("attendance:${ATTENDANCE_VERSION:?")
    for name in (".gitignore", ".dockerignore"):
        assert "deploy/.env" in (ROOT / name).read_text().splitlines()


def test_compose_asks_no_registry_for_our_image() -> None:
    """A stranger could have put one there under its name."""
    assert {service.get("pull_policy") for service in OURS.values()} == {"never"}
    assert [name for name, service in OURS.items() if "build" in service] == ["migrate"]


def test_compose_waits_for_the_database_that_stays() -> None:
    """The first start has another one meanwhile, which does not listen on TCP."""
    (_, command) = COMPOSE["services"]["database"]["healthcheck"]["test"]
    assert command.startswith("pg_isready -h 127.0.0.1 ")
    assert OURS["migrate"]["depends_on"]["database"] == {"condition": "service_healthy"}


def test_the_upgrade_with_compose_has_all_steps_in_order() -> None:
    """Those that start one process leave out what it depends on, the migration too."""
    readme = (DEPLOY / "README.md").read_text()
    steps = re.findall(
        r"^    .*?(run --rm \w+|>deploy/\.env|compose\.yaml build|--wait \w+)$",
        readme.partition("## Upgrade")[2],
        re.MULTILINE,
    )
    assert steps == [
        "run --rm backup",
        ">deploy/.env",
        "compose.yaml build",
        "run --rm migrate",
        "--wait web1",
        "--wait live1",
    ]


def test_compose_s_nginx_knows_all_its_processes() -> None:
    text = (SHIPPED / "upstreams.compose.conf").read_text()
    named = set(re.findall(r"^    server (\S+) ", text, re.MULTILINE))
    assert named == {
        f"{name}:{service['environment']['ATTENDANCE_PORT']}"
        for name, service in OURS.items()
        if service["command"][0] in ("web", "live")
    }


def test_compose_s_nginx_treats_them_as_the_tested_one_does() -> None:
    """It only asks for their addresses again, which Debian's nginx cannot."""

    def rules(path: Path) -> list[str]:
        lines = path.read_text().splitlines()
        lines = [line.strip() for line in lines if not line.strip().startswith("#")]
        return [
            re.sub(r"^server \S+", "server", line.replace(" resolve ", " "))
            for line in lines
            if line and not line.startswith("resolver ")
        ]

    compose = SHIPPED / "upstreams.compose.conf"
    assert rules(compose) == rules(SHIPPED / "site" / "upstreams.conf")
    text = compose.read_text()
    assert text.count(" resolve ") == text.count("    server ")
    # Docker's own name server, in any network that a compose file makes.
    assert re.search("^resolver 127.0.0.11 ", text, re.MULTILINE)
    version = re.match(r"nginx:(\d+)\.(\d+)", COMPOSE["services"]["nginx"]["image"])
    assert version and (int(version[1]), int(version[2])) >= (1, 28)


def test_compose_mounts_files_that_exist() -> None:
    mounted = [
        volume.partition(":")[0]
        for volume in COMPOSE["services"]["nginx"]["volumes"]
        if not volume.startswith("./tls:")
    ]
    assert mounted and all((DEPLOY / path).exists() for path in mounted)


def test_the_image_has_the_programs_of_compose_s_database() -> None:
    """Those of another version would refuse to dump it."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    debian = re.search(r"^FROM python:\S+-slim-(\w+)$", dockerfile, re.MULTILINE)
    assert (
        debian
        and "install -y -q --no-install-recommends postgresql-client" in dockerfile
    )
    version = {"bookworm": 15, "trixie": 17}[debian[1]]
    image = COMPOSE["services"]["database"]["image"]
    assert image == f"postgres:{version}-{debian[1]}"


def test_compose_keeps_backups_where_its_user_may_write() -> None:
    (volume,) = OURS["backup"]["volumes"]
    name, _, folder = volume.partition(":")
    assert name in COMPOSE["volumes"]
    assert OURS["backup"]["command"] == ["backup", folder]
    owned = re.search(
        r"chown attendance (.+)$", (DEPLOY / "Dockerfile").read_text(), re.M
    )
    assert owned and folder in owned[1].split()


EXAMPLES = pytest.mark.parametrize("name", ["environment.example", "database.example"])


@EXAMPLES
def test_a_shell_reads_the_examples_as_units_and_compose_do(
    tmp_path: Path, name: str
) -> None:
    """Single quotes mean the same to all three, whatever a value has in it."""
    values = [
        "redis+sentinel://s1:26379/mymaster/0?sentinel_username=u&sentinel_password=p",
        '$HOME `id` ; "#" \\ !',
    ]
    for value in values:
        lines = (DEPLOY / name).read_text().splitlines()
        variables = [line for line in lines if re.match("#?[A-Z_]+=", line)]
        text = ""
        for line in variables:
            filled = re.fullmatch("#?([A-Z_]+=')[^']*'", line)
            assert filled, f"{line} has no single quotes"
            text += f"{filled[1]}{value}'\n"
        (tmp_path / "environment").write_text(text)
        script = "set -a; . ./environment; exec env -0"
        done = subprocess.run(
            ["sh", "-c", script], cwd=tmp_path, env={}, capture_output=True, text=True
        )
        assert not done.stderr
        read = [line.partition("=")[2] for line in done.stdout.split("\0")]
        assert read.count(value) == len(variables) > 0


@EXAMPLES
def test_every_variable_of_the_examples_is_explained(name: str) -> None:
    readme = (ROOT / "README.md").read_text()
    for line in (DEPLOY / name).read_text().splitlines():
        variable = re.match(r"#?([A-Z_]+)=", line)
        if variable and not variable[1].startswith("POSTGRES_"):
            assert f"`{variable[1]}`" in readme
