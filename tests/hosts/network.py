"""
Machines of a test: network namespaces on a bridge, which can be cut off and joined.

Only the test's own process and what it starts there can reach them: the addresses are
of the range that is kept for tests of networks (RFC 2544), the bridge has no uplink.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.interfaces import changing
from tests.servers import Host

# With the number of the process that made it: leftovers of a dead one can be told.
PREFIX = "attn"


def find_namespaces() -> str:
    """Why there can be no namespaces here; empty where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need ip, of the package iproute2"
    try:
        with Network(["probe"]):
            return ""
    except subprocess.CalledProcessError as refusal:
        return f"no network namespaces here: {refusal.stderr.strip()}"


class Network:
    """
    A bridge, and a host of each name: `hosts[name]` is for a server of tests.servers.

    A context manager: leaving it takes all of them away again.
    """

    def __init__(self, names: list[str]) -> None:
        self.bridge = f"{PREFIX}{os.getpid()}"
        subnet = f"198.{random.choice((18, 19))}.{random.randrange(256)}"
        self._gateway = f"{subnet}.1"
        self._numbers = {name: number for number, name in enumerate(names)}
        self.hosts = {
            name: Host(
                f"{subnet}.{10 + number}",
                ("ip", "netns", "exec", self._namespace(name)),
            )
            for name, number in self._numbers.items()
        }

    def __enter__(self) -> Self:
        with changing():
            remove_leftovers()
            self._make()
        return self

    def _make(self) -> None:
        try:
            ip("link", "add", self.bridge, "type", "bridge")
            without_own_address(self.bridge)
            ip("address", "add", f"{self._gateway}/24", "dev", self.bridge)
            ip("link", "set", self.bridge, "up")
            for name in self.hosts:
                self._add(name)
        except BaseException:
            self._remove()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with changing():
            self._remove()

    def cut(self, name: str) -> None:
        """Pull the host's plug: nothing comes in or out, and nobody is told."""
        ip("link", "set", self._plug(name), "down")

    def join(self, name: str) -> None:
        ip("link", "set", self._plug(name), "up")

    def _namespace(self, name: str) -> str:
        return f"{self.bridge}-{name}"

    def _plug(self, name: str) -> str:
        """The host's cable, at its end in the bridge."""
        return f"{self.bridge}p{self._numbers[name]}"

    def _add(self, name: str) -> None:
        namespace, plug = self._namespace(name), self._plug(name)
        ip("netns", "add", namespace)
        ip("link", "add", plug, "type", "veth", "peer", "eth0", "netns", namespace)
        without_own_address(plug)
        ip("link", "set", plug, "master", self.bridge, "up")
        address = f"{self.hosts[name].address}/24"
        ip("-n", namespace, "address", "add", address, "dev", "eth0")
        ip("-n", namespace, "link", "set", "eth0", "up")
        ip("-n", namespace, "link", "set", "lo", "up")

    def _remove(self) -> None:
        for name in self.hosts:
            # With the namespace goes its end of the cable, and with that the other one.
            with suppress(subprocess.CalledProcessError):
                ip("netns", "delete", self._namespace(name))
        with suppress(subprocess.CalledProcessError):
            ip("link", "delete", self.bridge)


def remove_leftovers() -> None:
    """Take away what processes made that are no more."""
    for line in ip("netns", "list").splitlines():
        found = re.match(rf"{PREFIX}(\d+)-\S+", line)
        if found and not Path(f"/proc/{found[1]}").exists():
            ip("netns", "delete", found[0])
    for line in ip("-o", "link", "show", "type", "bridge").splitlines():
        found = re.match(rf"\d+: ({PREFIX}(\d+)):", line)
        if found and not Path(f"/proc/{found[2]}").exists():
            ip("link", "delete", found[1])


def without_own_address(link: str) -> None:
    """Have it give itself none of IPv6, whenever it comes up: a browser would mind."""
    # Where there is no IPv6 there is nothing to forbid.
    with suppress(subprocess.CalledProcessError):
        ip("link", "set", link, "addrgenmode", "none")


def ip(*arguments: str) -> str:
    """The output of `ip`. Raises CalledProcessError with what it said."""
    command = ["ip", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
