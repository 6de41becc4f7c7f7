"""A database of a test's own, on the server that the tests share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from .site import url_of_database


@contextmanager
def new_database() -> Iterator[str]:
    """The URL of a PostgreSQL database without any tables; it goes at the end."""
    from django.db import connection

    settings = connection.settings_dict
    name = f"test_own_{secrets.token_hex(4)}"
    with psycopg.connect(
        url_of_database({**settings, "NAME": "postgres"}), autocommit=True
    ) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield url_of_database({**settings, "NAME": name})
        finally:
            server.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
