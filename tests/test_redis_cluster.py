"""Redis as a cluster: any node hears what is published at any other."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from attendance.models import ClassSession, User
from tests.cast import token_of
from tests.live import open_stream, post, session_path
from tests.servers import RedisServer, SiteServer
from tests.servers.process import free_port
from tests.waiting import wait_until

SLOTS = 16384


def knows(client: redis.Redis, number: int) -> bool:
    """Whether this node serves, and is in touch with that many, itself included."""
    state: Any = client.execute_command("CLUSTER INFO")
    nodes: Any = client.execute_command("CLUSTER NODES")
    connected = [node for node in nodes.values() if node["connected"]]
    return state["cluster_state"] == "ok" and len(connected) == number


@pytest.fixture
def cluster() -> Iterator[list[RedisServer]]:
    """Three masters, each with a third of the slots."""
    with contextlib.ExitStack() as stack:
        nodes = [
            stack.enter_context(
                RedisServer(
                    options={
                        "--cluster-enabled": "yes",
                        "--cluster-port": str(free_port()),
                        "--cluster-node-timeout": "2000",
                    }
                )
            )
            for _ in range(3)
        ]
        clients = [stack.enter_context(node.client()) for node in nodes]
        bounds = [SLOTS * n // 3 for n in range(4)]
        for client, first, end in zip(clients, bounds, bounds[1:], strict=False):
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
        for node in nodes[1:]:
            clients[0].execute_command(
                *["CLUSTER MEET", "127.0.0.1", node.port],
                node.options["--cluster-port"],
            )
        for client in clients:
            wait_until(functools.partial(knows, client, 3), "the nodes know each other")
        yield nodes


def test_it_works(
    transactional_db: None,
    cluster: list[RedisServer],
    teacher: User,
    student: User,
    class_session: ClassSession,
) -> None:
    """Published at one node, heard at another, before a heartbeat could help."""
    first, last = cluster[0], cluster[-1]
    slow = {"ATTENDANCE_HEARTBEAT_SECONDS": "9"}
    body = {"verification_code": class_session.verification_code}
    with (
        SiteServer(env={"REDIS_URL": first.url, **slow}) as one,
        SiteServer(env={"REDIS_URL": last.url, **slow}) as other,
        open_stream(other, session_path(class_session), user=teacher) as stream,
    ):
        assert stream.next()["type"] == "snapshot"
        assert post(one, "check-ins/code/", body, token=token_of(student))[0] == 201
        assert stream.next(timeout=4)["type"] == "student_joined"
