"""A client that does not read costs bounded memory and is disconnected, code 4408."""

from __future__ import annotations

from attendance.models import ClassSession, User
from attendance.services.marking import mark_in_bulk
from tests.cast import make_students
from tests.live import open_stream, session_path
from tests.servers import SiteServer

# With the usual fifteen seconds of patience the test would only take longer.
IMPATIENT = {"ATTENDANCE_UNREAD_SECONDS": "2", "ATTENDANCE_HEARTBEAT_SECONDS": "1"}


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
            # 130 kB each: more than what the kernels hold for a socket.
            for number in range(80):
                mark_in_bulk(
                    class_session=class_session,
                    actor=teacher,
                    operation="mark_absent" if number % 2 else "mark_present",
                    reason="again and again",
                )
                assert reader.until(2 + number)[-1]["revision"] == 2 + number
            reader.heartbeat()
            reader.heartbeat()
            reader.heartbeat()
            reader.heartbeat()
            assert sleeper.close_code() == 4408
