"""PgBouncer in transaction mode, before a PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
from urllib.parse import unquote, urlsplit

import psycopg

from .postgres import unprivileged_user
from .process import Server


def find_pgbouncer() -> str | None:
    """PgBouncer's path; Debian has it where only root looks."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class PgBouncerServer(Server):
    """
    Hands out the connections of the database `database_url`, one a transaction.

    `connections` is how many it has: fewer than the site's threads, so that they take
    turns.
    """

    name = "PgBouncer"
    stop_signal = signal.SIGTERM  # at once; SIGINT waits for its clients

    def __init__(self, database_url: str, *, connections: int = 2) -> None:
        super().__init__()
        self.database = urlsplit(database_url)
        self.connections = connections
        self.user = unprivileged_user() if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        who, _, _ = self.database.netloc.rpartition("@")
        address = f"{self.host.address}:{self.port}"
        return f"postgresql://{who}@{address}{self.database.path}"

    def command(self) -> list[str]:
        found = find_pgbouncer()
        assert found is not None, "there is no PgBouncer"
        assert self.directory is not None
        database = self.database
        user, password = (
            unquote(text or "") for text in (database.username, database.password)
        )
        users = self.directory / "users.txt"
        users.write_text(f'"{user}" "{password}"\n')
        settings = self.directory / "pgbouncer.ini"
        settings.write_text(
            "[databases]\n"
            f"* = host={database.hostname} port={database.port or 5432}\n"
            "[pgbouncer]\n"
            f"listen_addr = {self.host.address}\n"
            f"listen_port = {self.port}\n"
            "unix_socket_dir =\n"
            "auth_type = scram-sha-256\n"
            f"auth_file = {users}\n"
            "pool_mode = transaction\n"
            f"default_pool_size = {self.connections}\n"
            "max_client_conn = 200\n"
        )
        if self.user:
            for path in (users, settings):
                shutil.chown(path, self.user)
        return [found, str(settings)]

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True
