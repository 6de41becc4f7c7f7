"""The servers of one run, and fresh databases for every benchmark."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers import PostgresServer, RedisServer

# As Debian's PostgreSQL comes, but for memory and connections: what is measured must
# survive a power cut, so it is not the tests' configuration.
POSTGRES_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
}
TEMPLATE = "attendance_template"


class Lab:
    """
    What the benchmarks run on; everything is started when it is first asked for.

    `prepare` must have been called before any model is imported: it configures Django
    for production, over this lab's PostgreSQL and Redis.
    """

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    @functools.cached_property
    def postgres(self) -> PostgresServer:
        return PostgresServer(settings=POSTGRES_SETTINGS).start()

    @functools.cached_property
    def redis(self) -> RedisServer:
        return RedisServer().start()

    def prepare(self) -> None:
        """Configure Django in this process, with a migrated database."""
        os.environ.update(
            {
                "DJANGO_SETTINGS_MODULE": "attendance_site.settings",
                "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
                "DJANGO_ALLOWED_HOSTS": "127.0.0.1,localhost",
                # Cookies must come back over plain HTTP, on loopback.
                "ATTENDANCE_HTTPS": "0",
                "DATABASE_URL": self.postgres.url_of(TEMPLATE),
                "REDIS_URL": self.redis.url,
            }
        )
        os.environ.pop("ATTENDANCE_DEMO", None)
        self.postgres.execute(f"CREATE DATABASE {TEMPLATE}")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)

    def fresh_database(self) -> str:
        """A new, migrated, empty database; Django's models and new servers use it."""
        from django.db import connections

        name = f"bench_{secrets.token_hex(4)}"
        connections["default"].close()
        self.postgres.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        # New connections of this process go there too.
        connections["default"].settings_dict["NAME"] = name
        os.environ["DATABASE_URL"] = self.postgres.url_of(name)
        return os.environ["DATABASE_URL"]

    @contextlib.contextmanager
    def without_autovacuum(self) -> Iterator[None]:
        """Have PostgreSQL leave its tables alone meanwhile."""
        self.postgres.execute("ALTER SYSTEM SET autovacuum = off")
        self.postgres.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self.postgres.execute("ALTER SYSTEM RESET autovacuum")
            self.postgres.execute("SELECT pg_reload_conf()")

    def environment(self, **more: str) -> dict[str, str]:
        """For a process of the site, over the current database and Redis."""
        return {**os.environ, "PYTHONUNBUFFERED": "1", **more}

    def pgbench(self) -> Path:
        """PostgreSQL's own load generator."""
        beside = self.postgres.bin / "pgbench"
        found = str(beside) if beside.exists() else shutil.which("pgbench")
        if found is None:
            raise SystemExit("The bench needs pgbench: install postgresql-contrib.")
        return Path(found)

    def machine(self) -> str:
        """One line about what it ran on."""
        about: Any = self.redis.client().info("server")
        redis = about.get("valkey_version")
        named = f"Valkey {redis}" if redis else f"Redis {about['redis_version']}"
        from django.db import connection

        connection.ensure_connection()
        number = connection.connection.info.server_version
        return (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, "
            f"PostgreSQL {number // 10000}.{number % 10000} with fsync, {named}"
        )

    def close(self) -> None:
        from django.db import connections

        connections.close_all()


def say(line: str) -> None:
    print(line, flush=True)
