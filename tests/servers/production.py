"""The site as it is served in production: by the command lines of `deploy/serve`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from .process import HERE, ROOT, Host
from .site import Role, SiteServer, manage, site_environment

KEY = "the-key-of-a-site-for-tests-" * 2


class ProductionServer(SiteServer):
    """
    One `deploy/serve web` or `deploy/serve live`, all its processes together.

    `env` is what `production_environment` gives, on the running test's servers.
    """

    # gunicorn loses a signal that reaches a worker which has hardly been forked, and
    # then waits for it as long as `graceful_timeout` says.
    stop_seconds = 40.0

    def __init__(
        self,
        role: Role,
        *,
        env: dict[str, str],
        port: int | None = None,
        host: Host = HERE,
        folder: Path = ROOT,
    ) -> None:
        super().__init__(port=port, host=host, env=env, folder=folder)
        self.role = role
        self.name = f"deploy/serve {role}"

    @property
    def workers(self) -> set[int]:
        """The processes that gunicorn has forked."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return {int(pid) for pid in children.read_text().split()}

    def kill(self) -> None:
        """End at once, with its workers, as a machine that loses its power."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
        super().kill()

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)  # launch.py has made it a group of its own


def production_environment(var_dir: Path, **more: str) -> dict[str, str]:
    """
    The environment of a site in production whose files are in `var_dir`.

    Collects its own static files there; those of other packages, which these tests do
    not ask for, take seconds.
    """
    env = {
        "ATTENDANCE_DEMO": "0",
        "ATTENDANCE_HEARTBEAT_SECONDS": "1",
        "ATTENDANCE_TRUSTED_PROXIES": "1",
        "ATTENDANCE_VAR_DIR": str(var_dir),
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_SECRET_KEY": KEY,
        **more,
    }
    if not (var_dir / "static").exists():
        collect_static(env)
    return env


def collect_static(env: dict[str, str], folder: Path = ROOT) -> None:
    """Put the release's own static files beside those that are there."""
    others = ("admin", "drf_spectacular_sidecar", "rest_framework")
    ignored = [word for name in others for word in ("--ignore", name)]
    command = ("collectstatic", "--no-input", "-v0", *ignored)
    manage(*command, env={**site_environment(), **env}, folder=folder)
