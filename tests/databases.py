"""A database of a test's own, with all its guards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import dj_database_url
import pytest
from django.core.management import call_command
from django.db import connection
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
