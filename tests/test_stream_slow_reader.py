"""A client that does not read costs bounded memory and is disconnected, code 4408."""

from __future__ import annotations

from attendance.models import ClassSession, User
from attendance.services.marking import mark_in_bulk
from tests.cast import make_students
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
