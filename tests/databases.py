"""Databases of a test's own: PostgreSQL with all its guards, and SQLite."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import dj_database_url
import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.utils import load_backend
from pytest_django.plugin import DjangoDbBlocker

from tests.servers import PostgresServer


@pytest.fixture
def own_database(django_db_blocker: DjangoDbBlocker) -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, migrated; this process's ORM uses it, too."""
    with PostgresServer() as postgres, django_db_blocker.unblock():
        postgres.execute("CREATE DATABASE school")
        with using_database(postgres.url_of("school")):
            call_command("migrate", verbosity=0, interactive=False)
            yield postgres


@contextlib.contextmanager
def using_database(url: str) -> Iterator[None]:
    """Have this process, and the sites that it starts, use that database."""
    where = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    settings, wanted = connection.settings_dict, dj_database_url.parse(url)
    before = {key: settings[key] for key in where}
    connection.close()
    settings.update({key: wanted.get(key, "") for key in where})
    try:
        yield
    finally:
        connection.close()
        settings.update(before)


@contextlib.contextmanager
def using_sqlite(file: Path) -> Iterator[None]:
    """Have this process use the SQLite database in `file`."""
    kept = connections["default"]
    settings = {
        **kept.settings_dict,
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        # As the project's own settings have it.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
    backend = load_backend(settings["ENGINE"])
    connections["default"] = backend.DatabaseWrapper(settings, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = kept


@pytest.fixture(scope="session")
def migrated_sqlite(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Path:
    """A SQLite database to be copied, with the migrations' own rows."""
    file = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    with django_db_blocker.unblock(), using_sqlite(file):
        call_command("migrate", verbosity=0, interactive=False)
    return file


@pytest.fixture(params=["postgresql", "sqlite"])
def either_database(
    request: pytest.FixtureRequest, db: None, tmp_path: Path
) -> Iterator[None]:
    """
    The test once on PostgreSQL and once on SQLite.

    People and the like are made by the test: the cast's fixtures may come before this.
    """
    if request.param == "postgresql":
        yield
        return
    file = tmp_path / "school.sqlite3"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
    with using_sqlite(file):
        yield
