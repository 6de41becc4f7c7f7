"""Clients that misbehave, and a secret key that changes under their log-in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from websockets.exceptions import ConnectionClosed

from attendance.models import ClassSession, User
from tests.live import FAST_HEARTBEAT, open_stream, raw_stream, session_path
from tests.servers import SiteServer

MEBIBYTE = 1024 * 1024


def resident_bytes(pid: int) -> int:
    """What the process holds in memory."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.django_db(transaction=True)
def test_a_client_that_floods_is_not_read_faster_than_it_is_answered(
    site: SiteServer, student: User
) -> None:
    """Its frames wait in the network, not in the server's memory."""
    ping = json.dumps({"type": "ping", "padding": "x" * 15_000}).encode()
    # As RFC 6455 has it: final text frame, masked with zeros, 16 bits of length.
    frame = b"\x81\xfe" + len(ping).to_bytes(2) + bytes(4) + ping
    before = resident_bytes(site.pid)
    flood = 48 * MEBIBYTE
    with raw_stream(site, "me/", student) as raw:
        for _ in range(flood // len(frame)):
            raw.sendall(frame)
        assert resident_bytes(site.pid) - before < flood / 2
    with open_stream(site, "me/", user=student) as stream:
        assert stream.next()["type"] == "snapshot"


@pytest.mark.django_db(transaction=True)
def test_a_message_in_fragments_is_measured_whole(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        stream.connection.send(["x" * 5_000] * 2)
        assert stream.next()["code"] == "malformed"
        with pytest.raises(ConnectionClosed):
            stream.connection.send(["x" * 5_000] * 200)
            while True:
                stream.receive()
        assert stream.connection.protocol.close_code == 1009


@pytest.mark.django_db(transaction=True)
def test_a_new_secret_key_logs_nobody_out(
    teacher: User, class_session: ClassSession
) -> None:
    """With the earlier key among the fallbacks a socket leaves the log-in alone."""
    client = Client()
    client.force_login(teacher)
    key = client.cookies["sessionid"].value
    env = {
        "DJANGO_SECRET_KEY": "k" * 60,
        "DJANGO_SECRET_KEY_FALLBACKS": settings.SECRET_KEY,
        **FAST_HEARTBEAT,
    }
    with SiteServer(env=env) as site:
        cookie = {"Cookie": f"sessionid={key}", "Origin": site.url}
        with open_stream(site, session_path(class_session), headers=cookie) as stream:
            for _ in range(3):
                assert stream.heartbeat()["revision"] == 1
    assert Session.objects.filter(session_key=key).exists()
