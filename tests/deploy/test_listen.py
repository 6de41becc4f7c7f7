"""Processes listen where ATTENDANCE_LISTEN says, and are asked there."""

from __future__ import annotations

import socket

import pytest

from tests.deploy.command_lines import serve
from tests.servers import ProductionServer
from tests.servers.process import Host
from tests.servers.site import Role


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine does not speak IPv6")
@pytest.mark.parametrize("role", ["web", "live"])
def test_an_address_of_ipv6(transactional_db: None, role: Role) -> None:
    env = {"DJANGO_ALLOWED_HOSTS": "[::1]", "WEB_CONCURRENCY": "1"}
    with ProductionServer(role, env=env, host=Host("::1")) as process:
        ready = {**process.environment(), "ATTENDANCE_READY_SECONDS": "0"}
        done = serve("ready", env=ready)
        assert done.returncode == 0, done.stderr
