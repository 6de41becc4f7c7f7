"""Production refuses the demo's settings: system checks and both entry points."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from attendance_site.startup import PRODUCTION, refuse_demo_settings

from .servers.process import ROOT

KEY = "k3y-of-the-tests-" * 4

GOOD: dict[str, Any] = {
    "DEMO": False,
    "DEBUG": False,
    "SECRET_KEY": KEY,
    "SECRET_KEY_IS_OWN": True,
    "ALLOWED_HOSTS": ["attendance.example"],
    "REDIS_URL": "redis://redis.example:6379/0",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
    "DATABASE_URL_OPTIONS": {},
    "DATABASE_POOLER": False,
    "HTTPS": True,
    "SECURE_HSTS_SECONDS": 0,
}

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("E001", {"DEMO": True}, "ATTENDANCE_DEMO"),
    ("E002", {"SECRET_KEY_IS_OWN": False}, "DJANGO_SECRET_KEY"),
    ("E002", {"SECRET_KEY": "short"}, "DJANGO_SECRET_KEY"),
    ("E003", {"DEBUG": True}, "DJANGO_DEBUG"),
    ("E004", {"ALLOWED_HOSTS": []}, "DJANGO_ALLOWED_HOSTS"),
    ("E004", {"ALLOWED_HOSTS": ["good.example", "*"]}, "DJANGO_ALLOWED_HOSTS"),
    ("E005", {"REDIS_URL": ""}, "REDIS_URL"),
    (
        "E006",
        {"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}},
        "DATABASE_URL",
    ),
    (
        "E007",
        {
            "DATABASE_POOLER": True,
            "DATABASE_URL_OPTIONS": {"options": "-c statement_timeout=1s"},
        },
        "ATTENDANCE_DATABASE_POOLER",
    ),
    ("E008", {"HTTPS": False, "SECURE_HSTS_SECONDS": 60}, "ATTENDANCE_HTTPS"),
]


class Stand:
    """Stands in for the settings that the checks look at."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Good settings, to be spoiled by the test; the real ones stay as they are."""
    stand = Stand(**GOOD)
    monkeypatch.setattr("attendance_site.checks.settings", stand)
    monkeypatch.setattr("attendance_site.startup.settings", stand)
    return stand


def findings() -> list[checks.CheckMessage]:
    return checks.run_checks(tags=[PRODUCTION], include_deployment_checks=True)


def test_good_settings_pass(stand: Stand) -> None:
    assert findings() == []
    refuse_demo_settings()


@pytest.mark.parametrize(("number", "spoiled", "variable"), BAD)
def test_each_bad_setting_is_found_alone(
    stand: Stand, number: str, spoiled: dict[str, Any], variable: str
) -> None:
    stand.__dict__.update(spoiled)
    (finding,) = findings()
    assert finding.id == f"attendance_site.{number}"
    assert finding.is_serious()
    assert variable in f"{finding.hint}"


@pytest.mark.parametrize(("number", "spoiled", "variable"), BAD[1:])
def test_each_bad_setting_stops_the_start(
    stand: Stand, number: str, spoiled: dict[str, Any], variable: str
) -> None:
    stand.__dict__.update(spoiled)
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_demo_settings()
    said = str(refusal.value)
    assert f"attendance_site.{number}" in said
    assert variable in said
    assert KEY not in said, "a log is no place for the key"


def test_the_demo_starts_with_the_demo_s_settings(settings: Settings) -> None:
    settings.DEMO = True
    refuse_demo_settings()


# Processes of their own -----------------------------------------------------------


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    """No variable of ours but those given; what is written goes to `tmp_path`."""
    return {
        "PATH": os.environ["PATH"],
        "ATTENDANCE_VAR_DIR": str(tmp_path),
        **variables,
    }


PRODUCTION_ENVIRONMENT = {
    "DJANGO_SECRET_KEY": KEY,
    "DJANGO_ALLOWED_HOSTS": "attendance.example",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
}


def run(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("entry_point", ["wsgi", "asgi"])
def test_without_any_settings_it_does_not_start(
    entry_point: str, tmp_path: Path
) -> None:
    done = run(
        *["-c", f"import attendance_site.{entry_point}"], env=environment(tmp_path)
    )
    assert done.returncode == 1
    end = done.stderr[done.stderr.index("ImproperlyConfigured: ") :]
    assert "Not fit for production, so not started" in end
    for number in ("E002", "E004", "E005", "E006"):
        assert f"attendance_site.{number}: " in end
    assert "python3 run.py serve" in end
    assert (tmp_path / "demo_secret_key").read_text() not in done.stderr


def start(entry_point: str) -> tuple[str, str]:
    return "-c", f"from attendance_site.{entry_point} import application; print('up')"


def test_with_its_settings_it_starts(tmp_path: Path) -> None:
    """Before any request: neither PostgreSQL nor Redis is asked for anything."""
    done = run(*start("asgi"), env=environment(tmp_path, **PRODUCTION_ENVIRONMENT))
    assert (done.returncode, done.stdout) == (0, "up\n"), done.stderr


def test_pages_are_not_served_without_their_static_files(tmp_path: Path) -> None:
    """Every page would end in an error."""
    env = environment(tmp_path, **PRODUCTION_ENVIRONMENT)
    refused = run(*start("wsgi"), env=env)
    assert refused.returncode == 1
    assert f"no static files were collected from {ROOT}" in refused.stderr
    assert "run `deploy/serve manage collectstatic" in refused.stderr
    others = ("admin", "drf_spectacular_sidecar", "rest_framework")
    ignored = [word for name in others for word in ("--ignore", name)]
    run("manage.py", "collectstatic", "--no-input", *ignored, env=env)
    done = run(*start("wsgi"), env=env)
    assert (done.returncode, done.stdout) == (0, "up\n"), done.stderr


def test_the_check_command_names_what_is_wrong(tmp_path: Path) -> None:
    check = ("manage.py", "check", "--deploy", "--tag", PRODUCTION)
    refused = run(*check, env=environment(tmp_path))
    assert refused.returncode == 1
    assert "(attendance_site.E002)" in refused.stderr
    assert "HINT: Set DJANGO_SECRET_KEY" in refused.stderr
    passed = run(*check, env=environment(tmp_path, **PRODUCTION_ENVIRONMENT))
    assert passed.returncode == 0, passed.stderr


def test_what_a_pooler_loses_is_found_in_the_url(tmp_path: Path) -> None:
    """Whatever these settings make of it."""
    url = PRODUCTION_ENVIRONMENT["DATABASE_URL"]
    pooled = {**PRODUCTION_ENVIRONMENT, "ATTENDANCE_DATABASE_POOLER": "1"}
    check = ("manage.py", "check", "--deploy", "--tag", PRODUCTION)
    passed = run(*check, env=environment(tmp_path, **pooled))
    assert passed.returncode == 0, passed.stderr
    pooled["DATABASE_URL"] = f"{url}?prepare_threshold=3&options=-c%20jit=off"
    refused = run(*check, env=environment(tmp_path, **pooled))
    assert refused.returncode == 1
    assert "DATABASE_URL has options and prepare_threshold" in refused.stderr


def test_options_of_the_url_come_before_ours(tmp_path: Path) -> None:
    url = PRODUCTION_ENVIRONMENT["DATABASE_URL"]
    variables = PRODUCTION_ENVIRONMENT | {"DATABASE_URL": f"{url}?prepare_threshold=2"}
    done = run(
        "-c",
        "from attendance_site.settings import DATABASES as databases; "
        "print(databases['default']['OPTIONS'])",
        env=environment(tmp_path, **variables),
    )
    options = ast.literal_eval(done.stdout)
    assert options["prepare_threshold"] == 2
    assert options["server_side_binding"] is True


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DJANGO_DEBUG", "perhaps", "DJANGO_DEBUG must be 1 or 0, not 'perhaps'."),
        (
            "ATTENDANCE_LOG_FORMAT",
            "xml",
            "ATTENDANCE_LOG_FORMAT must be one of json, plain, not 'xml'.",
        ),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(
    tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    done = run("manage.py", "check", env=environment(tmp_path, **{variable: value}))
    assert done.returncode == 1
    assert sentence in done.stderr
