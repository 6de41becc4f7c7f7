"""A server process that a test owns: started, stopped, frozen, started again."""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from .launch import PR_SET_PDEATHSIG

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = Path(__file__).with_name("launch.py")
DIRECTORY_PREFIX = "attendance-test-"


class ServerError(Exception):
    """A server could not be had; the message is a sentence for people."""


class PortTaken(ServerError):
    """Somebody else got the port first."""


class Host(NamedTuple):
    """Where servers run: their address, and what a command there begins with."""

    address: str
    prefix: tuple[str, ...] = ()


HERE = Host("127.0.0.1")


class Server:
    """Base of the servers: one process, one port, one directory, one log.

    Usable as a context manager. `start` after `stop` or `kill` takes the same
    port and the same data again. Start it in a thread that lives as long as the
    server should: the kernel ends the server when its starting thread ends.
    """

    name = "server"
    user: str | None = None
    stop_signal = signal.SIGTERM
    # What the kernel sends the server if the tests die without stopping it.
    death_signal = signal.SIGKILL
    start_seconds = 20.0
    stop_seconds = 10.0
    # Where it runs, unless it runs as another user: then in its own directory.
    folder = ROOT

    def __init__(self, *, port: int | None = None, host: Host = HERE) -> None:
        self._given_port = port
        self.port = port or 0
        self.host = host
        self.directory: Path | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.frozen = False
        _servers.add(self)

    # What a kind of server defines

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def prepare(self) -> None:
        """Called once, with `directory` made and empty."""

    def is_ready(self) -> bool:
        raise NotImplementedError

    # What tests use

    @property
    def log_path(self) -> Path:
        assert self.directory is not None, f"{self.name} was never started"
        return self.directory / "log"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} is not running"
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> Self:
        """Start and wait until the server answers."""
        assert not self.running, f"{self.name} is running already"
        if self.directory is None:
            self.directory = make_directory(self.user)
            self.prepare()
        attempts = 1 if self.port else 5
        for attempt in range(attempts):
            self.port = self.port or free_port()
            try:
                self._launch()
                return self
            except PortTaken:
                if attempt == attempts - 1:
                    raise
                self.port = 0
        return self

    def stop(self) -> None:
        """Stop in an orderly way; kill what does not end in time."""
        if self.process is None:
            return
        self.thaw()
        if self.running:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.frozen = False

    def restart(self) -> Self:
        """Stop and start again on the same port, with the same data."""
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """Hang: connections stay open and are accepted, nothing is answered."""
        self._signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        if self.frozen:
            self._signal(signal.SIGCONT)
            self.frozen = False

    def close(self) -> None:
        """Stop and remove the directory, with the data and the log."""
        self.stop()
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
            _locks.pop(self.directory, None)
            self.directory = None
        self.port = self._given_port or 0

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # How it is done

    def _launch(self) -> None:
        log_before = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.host.prefix, sys.executable, "-I", "-S", str(LAUNCH)]
                + [str(os.getpid()), str(int(self.death_signal)), self.user or "-"]
                + self.command(),
                cwd=self.folder if self.user is None else self.directory,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + self.start_seconds
        while not self.is_ready():
            ended = self.process.poll() is not None
            if not ended and time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            self.kill()
            log_now = self.log_path.read_bytes()[log_before:].decode(errors="replace")
            if ended and "in use" in log_now:
                raise PortTaken(f"{self.name}: port {self.port} is taken.")
            what = "ended at once" if ended else f"is silent: {self.start_seconds:g} s"
            raise ServerError(f"{self.name} {what}. Its log:\n{log_now[-4000:]}")

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None, f"{self.name} is not running"
        self.process.send_signal(number)


def free_port() -> int:
    """A free port of 127.0.0.1, outside the range of outgoing connections.

    A port of that range could be taken while a server is stopped for a moment.
    """
    for _ in range(200):
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerError("There is no free port from 20000 to 32000 on 127.0.0.1.")


def end_with_parent() -> None:
    """Have the kernel kill this process, a worker of the tests, with its parent.

    On its own a worker notices only when the test that it runs has finished.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


# Directories. Each holds a lock that its owner keeps: those whose owner died
# without clearing up are removed by the next one who makes a directory.

_servers: weakref.WeakSet[Server] = weakref.WeakSet()
_locks: dict[Path, int] = {}


def make_directory(user: str | None = None) -> Path:
    """A private directory, owned by `user`, that goes when this process ends."""
    base = tempfile.gettempdir()
    if user is not None and not open_to_everybody(Path(base)):
        base = "/tmp"
    if not _locks:
        remove_leftovers(Path(base))
    directory = Path(tempfile.mkdtemp(prefix=DIRECTORY_PREFIX, dir=base))
    lock = os.open(directory / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    _locks[directory] = lock
    (directory / "log").touch()
    if user is not None:
        shutil.chown(directory, user)
        shutil.chown(directory / "log", user)
    return directory


def remove_leftovers(base: Path) -> None:
    for directory in base.glob(f"{DIRECTORY_PREFIX}*"):
        try:
            lock = os.open(directory / "lock", os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def open_to_everybody(path: Path) -> bool:
    """Whether any user may read `path`, by the permissions of all its parents."""
    path = path.resolve()
    if not path.stat().st_mode & 0o004:
        return False
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


@atexit.register
def close_all() -> None:
    for server in list(_servers):
        server.close()
    for directory in list(_locks):
        shutil.rmtree(directory, ignore_errors=True)
