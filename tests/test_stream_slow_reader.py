"""A client that does not read costs bounded memory and is disconnected, code 4408."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from attendance.models import ClassSession, User
from attendance.services.marking import mark_in_bulk
from realtime.outlet import Outlet
from tests.cast import make_students
from tests.inside import SOON, Inside
from tests.live import Frame, Stream, fold, open_stream, session_path
from tests.servers import SiteServer

# With the usual fifteen seconds of patience the test would only take longer.
IMPATIENT = {"ATTENDANCE_UNREAD_SECONDS": "2", "ATTENDANCE_HEARTBEAT_SECONDS": "1"}
PATIENT = {"ATTENDANCE_UNREAD_SECONDS": "60", "ATTENDANCE_HEARTBEAT_SECONDS": "1"}


def fill_the_line(class_session: ClassSession, teacher: User, reader: Stream) -> int:
    """Send more than what the kernels hold for a socket; the last revision."""
    for number in range(80):
        # 130 kB each.
        mark_in_bulk(
            class_session=class_session,
            actor=teacher,
            operation="mark_absent" if number % 2 else "mark_present",
            reason="again and again",
        )
        assert reader.until(2 + number)[-1]["revision"] == 2 + number
    return 81


def test_it_works(
    transactional_db: None, teacher: User, class_session: ClassSession
) -> None:
    make_students(class_session.course, 300)
    with SiteServer(env=IMPATIENT) as site:
        # With room for one frame the client stops reading from the network.
        with (
            open_stream(
                site, session_path(class_session), user=teacher, max_queue=1
            ) as sleeper,
            open_stream(site, session_path(class_session), user=teacher) as reader,
        ):
            reader.next()
            fill_the_line(class_session, teacher, reader)
            reader.heartbeat()
            reader.heartbeat()
            reader.heartbeat()
            reader.heartbeat()
            assert sleeper.close_code() == 4408


def test_who_reads_again_in_time_gets_one_snapshot(
    transactional_db: None, teacher: User, class_session: ClassSession
) -> None:
    """Instead of the backlog, however long it has become meanwhile."""
    make_students(class_session.course, 300)
    with SiteServer(env=PATIENT) as site:
        path = session_path(class_session)
        with (
            open_stream(site, path, user=teacher, max_queue=1) as sleeper,
            open_stream(site, path, user=teacher) as reader,
        ):
            reader.next()
            last = fill_the_line(class_session, teacher, reader)

            frames = [sleeper.next()]
            while frames[-1]["revision"] < last:
                frames.append(sleeper.next())

        assert frames[-1]["type"] == "snapshot"
        assert len(frames) < last
        state: Frame = {}
        for frame in frames:
            state = fold(state, frame)
        assert state["revision"] == last


def closed() -> float:
    """How many streams this process has closed for not being read."""
    name, labels = "attendance_stream_closes_total", {"code": "4408"}
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_a_stream_ends_once_however_much_waits_to_be_sent(
    inside: Inside,
    teacher: User,
    class_session: ClassSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["type"] == "snapshot"
    before, waits, is_over = closed(), asyncio.Event(), asyncio.Event()

    async def wait_in_vain(outlet: Outlet, seconds: float) -> bool:
        waits.set()
        await is_over.wait()
        return False

    monkeypatch.setattr(Outlet, "wait_writable", wait_in_vain)
    await stream.send({"type": "ping"})
    async with asyncio.timeout(SOON):
        await waits.wait()
    # The message of this waits behind the answer to the ping.
    await inside.do(mark, class_session, teacher)
    is_over.set()
    assert await stream.close_code() == 4408
    await inside.close()
    assert closed() == before + 1


def mark(class_session: ClassSession, teacher: User) -> None:
    mark_in_bulk(
        class_session=class_session,
        actor=teacher,
        operation="mark_present",
        reason="seen",
    )
