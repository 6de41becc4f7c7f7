#!/usr/bin/env python3
"""Set up, serve, test and measure the project; needs Python 3.11 and nothing else.

    python3 run.py serve [HOST:PORT]     the demo (default 127.0.0.1:8000)
    python3 run.py test [pytest args]    ruff, mypy and the tests
    python3 run.py bench [name...]       the benchmarks; writes docs/performance.md

`serve` makes .venv, installs requirements.txt, prepares the demo database and
serves HTTP and WebSocket. DATABASE_URL and REDIS_URL are used when they are set;
otherwise it is SQLite in var/ and channels in memory.
`test` with arguments hands them to pytest and runs nothing else.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
BASE_PYTHON: str = getattr(sys, "_base_executable", None) or sys.executable
# More than cores: tests of servers spend much of their time waiting.
TEST_WORKERS = min((os.cpu_count() or 1) * 2, 4)


class Stop(Exception):
    """Ends the command with a sentence and an exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        raise Stop(
            "This project needs Python %d.%d or newer; this is %d.%d."
            % (OLDEST_PYTHON + sys.version_info[:2])
        )
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        asked_for_help = arguments in (["help"], ["-h"], ["--help"])
        if arguments and not asked_for_help:
            print(f"There is no command {arguments[0]!r}.\n", file=sys.stderr)
        print(__doc__.strip(), file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 2
    os.chdir(ROOT)
    return command(arguments[1:])


# Commands


def serve(arguments: list[str]) -> int:
    if len(arguments) > 1:
        raise Stop("serve takes one argument at most: HOST:PORT.", 2)
    host, port = parse_address(arguments[0] if arguments else "127.0.0.1:8000")
    require_free(host, port)
    with set_up_lock():
        install("requirements.txt")
    env = {"ATTENDANCE_DEMO": "1", **os.environ, "PYTHONUNBUFFERED": "1"}
    replace_process(["run.py", SERVE_INSTALLED, host, str(port)], env)


def serve_installed(arguments: list[str]) -> int:
    """The rest of `serve`, in .venv's Python.

    One process prepares the database and serves: loading Django twice would cost
    another second at every start.
    """
    host, port = arguments[0], int(arguments[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
    import django
    from daphne.cli import CommandLineInterface
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command
    from django.db import DatabaseError, connections

    try:
        with set_up_lock():
            django.setup()
            call_command("prepare_demo")
    except (CommandError, DatabaseError, ImproperlyConfigured) as error:
        raise Stop(f"The database could not be prepared: {error}") from None
    connections.close_all()
    require_free(host, port)
    everywhere = host in ("0.0.0.0", "::")
    shown = "localhost" if everywhere else f"[{host}]" if ":" in host else host
    say(f"Serving on http://{shown}:{port}/ - stop with Ctrl-C.")
    if everywhere:
        say("For phones open it by this machine's address: the QR code leads there.")
    keep_to_one_core()
    CommandLineInterface().run(
        ["-b", host, "-p", str(port), "-v", "0"]
        + ["--ping-interval", "20", "--ping-timeout", "30"]
        + ["--application-close-timeout", "5", "attendance_site.asgi:application"]
    )
    return 0


def keep_to_one_core() -> None:
    """
    Have all threads to come run on one core.

    One at a time runs Python anyway. They hand each other the interpreter's lock at
    every statement of the database, and from core to core that takes a quarter of the
    throughput.
    """
    if hasattr(os, "sched_setaffinity"):  # on Linux
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})


def test(arguments: list[str]) -> int:
    with set_up_lock():
        install("requirements-dev.txt")
    if not arguments:
        checks = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
        env = {**os.environ, "ATTENDANCE_DEMO": "1"}
        for check in checks:
            say(" ".join(check))
            command = [str(VENV_PYTHON), "-m", *check]
            code = subprocess.run(command, env=env).returncode
            if code:
                raise Stop(f"{' '.join(check)} failed; the tests were not run.", code)
        # A file stays on one worker: its servers and browser start once. In the order
        # of tests/conftest.py, which has the long ones first.
        arguments = ["-n", str(TEST_WORKERS), "--dist", "loadfile"]
        arguments.append("--no-loadscope-reorder")
    say(" ".join(["pytest", *arguments]))
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    replace_process(["-m", "pytest", *arguments], env)


def bench(arguments: list[str]) -> int:
    with set_up_lock():
        install("requirements-dev.txt")
    replace_process(["-m", "bench", *arguments], dict(os.environ))


SERVE_INSTALLED = "serve-installed"
COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "serve": serve,
    SERVE_INSTALLED: serve_installed,
    "test": test,
    "bench": bench,
}


# The address


def parse_address(text: str) -> tuple[str, int]:
    """Split "HOST:PORT", "[IPV6]:PORT" or "PORT"."""
    host, _, port = text.rpartition(":")
    if text.isdecimal():
        host = "127.0.0.1"
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if not host or (":" in host) != bracketed:
        raise Stop(f"{text!r} is not HOST:PORT, as in 127.0.0.1:8000.", 2)
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise Stop(f"{text!r} has no port from 1 to 65535.", 2)
    return host, int(port)


def require_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on before daphne finds out."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise Stop(
                f"Port {port} on {host} is already in use; choose another, "
                f"as in: python3 run.py serve {host}:{min(port + 1, 65535)}"
            ) from None
        reason = getattr(error, "strerror", None) or error
        raise Stop(f"Cannot listen on {host} port {port}: {reason}.") from None


# The virtual environment


@contextmanager
def set_up_lock() -> Iterator[None]:
    """Let one set-up at a time touch .venv and the demo database."""
    path = ROOT / "var" / "setup.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up of this checkout is running; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(requirements: str) -> None:
    """Install a file of hashed requirements into .venv, if it changed since."""
    version = venv_version()
    if version is None:
        make_venv()
        version = venv_version()
        if version is None:
            raise Stop("The new .venv has no working Python.")
    stamp = VENV / f".installed-{requirements}"
    content = (ROOT / requirements).read_bytes()
    wanted = hashlib.sha256(version.encode() + b"\n" + content).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"Installing {requirements}; the first time takes a minute or so.")
    command = [*installer(), "--require-hashes", "-r", requirements]
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
        raise Stop(f"{requirements} could not be installed; the reason is above.")
    stamp.write_text(wanted)


def venv_version() -> str | None:
    """The version of .venv's Python; None when .venv must be made anew.

    That is so when it is missing, when its Python has gone or has been replaced
    by another release, and when this script runs on another release.
    """
    ask = "import encodings, sys; print('%d.%d.%d' % sys.version_info[:3])"
    try:
        answer = subprocess.run(
            [VENV_PYTHON, "-I", "-c", ask], capture_output=True, text=True
        )
    except OSError:
        return None
    version = answer.stdout.strip()
    release = "%d.%d" % sys.version_info[:2]
    packages = VENV / "lib" / f"python{release}" / "site-packages"
    usable = version.startswith(f"{release}.") and packages.is_dir()
    return version if usable else None


def make_venv() -> None:
    if VENV.is_symlink():
        raise Stop(".venv is a link to something unusable; remove it and try again.")
    if VENV.exists():
        say("Removing .venv: its Python is gone, or of another release.")
        shutil.rmtree(VENV)
    say("Making .venv.")
    uv = find_uv()
    if uv:
        command = [uv, "venv", "--quiet", "--python", BASE_PYTHON, str(VENV)]
        if run_quietly(command):
            return
    if run_quietly([BASE_PYTHON, "-m", "venv", str(VENV)]):
        return
    # Debian without python3-venv: no ensurepip. The host's pip then installs.
    bare = [BASE_PYTHON, "-m", "venv", "--clear", "--without-pip", str(VENV)]
    if not run_quietly(bare):
        raise Stop(f"{BASE_PYTHON} cannot make virtual environments. {ADVICE}")


def installer() -> list[str]:
    """The command that installs into .venv: uv, its own pip, or the host's pip."""
    uv = find_uv()
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", str(VENV_PYTHON)]
    options = ["install", "--quiet", "--no-input", "--disable-pip-version-check"]
    own_pip = [str(VENV_PYTHON), "-m", "pip"]
    # An interrupted or a bare .venv has none; ensurepip may be there by now.
    for _ in range(2):
        if run_quietly([*own_pip, "--version"]):
            return [*own_pip, *options]
        run_quietly([str(VENV_PYTHON), "-m", "ensurepip"])
    host_pip = [BASE_PYTHON, "-m", "pip", "--python", str(VENV_PYTHON)]
    if run_quietly([*host_pip, "--version"]):
        return [*host_pip, *options]
    raise Stop(f"{BASE_PYTHON} has no pip (22.3 or newer) and no ensurepip. {ADVICE}")


ADVICE = "Install uv, or the package python3-venv on Debian and Ubuntu, and try again."


def find_uv() -> str | None:
    """The uv on PATH, if it works: a version manager's shim may not."""
    uv = shutil.which("uv")
    return uv if uv and run_quietly([uv, "--version"]) else None


# Helpers


def run_quietly(command: list[str]) -> bool:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode == 0


def replace_process(arguments: list[str], env: dict[str, str]) -> NoReturn:
    """Become .venv's Python, so that signals reach it straight."""
    sys.stdout.flush()
    os.execve(VENV_PYTHON, [str(VENV_PYTHON), *arguments], env)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.stdout.flush()
        print(stop, file=sys.stderr)
        sys.exit(stop.code)
    except KeyboardInterrupt:
        sys.exit(130)
