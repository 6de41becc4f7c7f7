"""A server that stops closes its streams, and says when to come back: not all at once.

1012 ("service restart") with a number of milliseconds as its reason.
"""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket

import pytest

from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_code
from tests.live import FAST_HEARTBEAT, open_stream, raw_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works(teacher: User, student: User, class_session: ClassSession) -> None:
    path = session_path(class_session)
    with SiteServer(env=FAST_HEARTBEAT) as site, contextlib.ExitStack() as stack:
        kept_alive = http.client.HTTPConnection("127.0.0.1", site.port)
        stack.callback(kept_alive.close)
        kept_alive.request("GET", "/accounts/login/")
        assert kept_alive.getresponse().read()
        watched = [(path, teacher)] * 25 + [("me/", student)] * 5
        streams = [
            stack.enter_context(open_stream(site, path, user=user))
            for path, user in watched
        ]
        for stream in streams:
            assert stream.next()["type"] == "snapshot"

        site.stop()

        assert [stream.close_code() for stream in streams] == [1012] * 30
        waits = [int(stream.close_reason) for stream in streams]
        # Thirty are soon let in again; more would be given more time.
        assert all(0 <= wait < 500 for wait in waits)
        assert len(set(waits)) > 1
        assert "Traceback" not in site.log
        assert "ERROR" not in site.log


def test_who_comes_back_has_missed_nothing(
    teacher: User, student: User, class_session: ClassSession
) -> None:
    with SiteServer(env=FAST_HEARTBEAT) as site:
        with open_stream(site, session_path(class_session), user=teacher) as stream:
            revision = stream.next()["revision"]
            site.stop()
            assert stream.close_code() == 1012
        check_in_by_code(student=student, code=class_session.verification_code or "")
        site.start()
        path = session_path(class_session, f"?after={revision}")
        with open_stream(site, path, user=teacher) as stream:
            assert stream.receive()["type"] == "student_joined"


def test_nobody_can_hold_up_a_stop(teacher: User, class_session: ClassSession) -> None:
    """A client that answers no closing, and a request of which half has come."""
    path = session_path(class_session)
    with (
        SiteServer(env=FAST_HEARTBEAT) as site,
        raw_stream(site, path, teacher),
        open_stream(site, path, user=teacher) as stream,
        socket.create_connection(("127.0.0.1", site.port)) as half,
    ):
        half.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        # Answered after the half request has been read.
        stream.send({"type": "ping"})
        stream.heartbeat()
        process = site.process
        assert process is not None

        site.stop()

        assert process.returncode != -signal.SIGKILL
        assert stream.close_code() == 1012
        assert "Traceback" not in site.log


def test_a_stream_does_not_live_for_ever(
    teacher: User, student: User, class_session: ClassSession
) -> None:
    short = {**FAST_HEARTBEAT, "ATTENDANCE_STREAM_LIFETIME_SECONDS": "3"}
    with (
        SiteServer(env=short) as site,
        open_stream(site, session_path(class_session), user=teacher) as session,
        open_stream(site, "me/", user=student) as own,
    ):
        for stream in (session, own):
            assert stream.next()["type"] == "snapshot"
            stream.heartbeat()
        for stream in (session, own):
            assert stream.close_code() == 1012
            assert stream.close_reason == "0"
        with open_stream(site, session_path(class_session), user=teacher) as session:
            assert session.next()["type"] == "snapshot"
