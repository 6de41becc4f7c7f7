"""The project itself, served as a process of its own."""

from __future__ import annotations

import http.client
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from .process import HERE, ROOT, Host, Server

Role = Literal["web", "live"]


class SiteServer(Server):
    """`deploy/serve live` with the project's own settings, not the tests' settings.

    One daphne, which has HTTP beside the stream. By default on the running test's
    database, Redis and channel prefix, so it sees what a test commits
    (`transactional_db`). `env` goes on top of that. `folder` holds the project that is
    served, this checkout unless told otherwise.
    """

    name = "the site"
    role: Role = "live"
    stop_seconds = 15.0
    # What clients need to trust it, where it speaks TLS.
    tls: ssl.SSLContext | None = None

    def __init__(
        self,
        *,
        port: int | None = None,
        host: Host = HERE,
        env: dict[str, str] | None = None,
        folder: Path = ROOT,
    ) -> None:
        super().__init__(port=port, host=host)
        self.env = env or {}
        self.folder = folder

    @property
    def url(self) -> str:
        return f"http://{self.host.address}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.host.address}:{self.port}"

    def connect(self, timeout: float = 10) -> http.client.HTTPConnection:
        """A client's connection, not opened yet; `timeout` is for each step."""
        return http.client.HTTPConnection(self.host.address, self.port, timeout=timeout)

    def manage(self, *arguments: str) -> str:
        """The output of manage.py in this site's environment."""
        return manage(*arguments, env=self.environment(), folder=self.folder)

    def command(self) -> list[str]:
        return [str(self.folder / "deploy" / "serve"), self.role]

    def environment(self) -> dict[str, str]:
        where = {
            "ATTENDANCE_LISTEN": self.host.address,
            "ATTENDANCE_PORT": str(self.port),
        }
        return {**site_environment(), **self.env, **where}

    def is_ready(self) -> bool:
        connection = self.connect()
        try:
            connection.request("GET", "/accounts/login/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def site_environment() -> dict[str, str]:
    """Environment for a process of the project on the running test's servers."""
    from django.db import connection

    ours = {**os.environ}
    ours.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # for the browser tests' process only
    return {
        **ours,
        "ATTENDANCE_DEMO": "1",
        "DATABASE_URL": url_of_database(connection.settings_dict),
        "DJANGO_SETTINGS_MODULE": "attendance_site.settings",
        # deploy/serve finds its programs there.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }


def url_of_database(settings: dict[str, Any]) -> str:
    """The URL that names the database of a Django settings dictionary."""
    user, password = (quote(settings[key] or "", safe="") for key in _WHO)
    host = quote(settings["HOST"] or "", safe="")
    port = f":{settings['PORT']}" if settings["PORT"] else ""
    name = quote(str(settings["NAME"]), safe="")
    return f"postgresql://{user}:{password}@{host}{port}/{name}"


_WHO = ("USER", "PASSWORD")


def manage(
    *arguments: str, env: dict[str, str] | None = None, folder: Path = ROOT
) -> str:
    """The output of manage.py; an exception with its errors when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env=site_environment() if env is None else env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise AssertionError(f"manage.py {' '.join(arguments)}: {done.stderr}")
    return done.stdout
