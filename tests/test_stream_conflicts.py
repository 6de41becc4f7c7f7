"""A conflict is no message: a heartbeat tells of it at once, and goes on telling."""

from attendance.models import ClassSession, OverruledMark, User
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import override_status
from tests.live import open_stream, session_path
from tests.servers import SiteServer

# So long that no usual heartbeat can have told of it.
SLOW = {"ATTENDANCE_HEARTBEAT_SECONDS": "9"}


def test_it_works(
    transactional_db: None, class_session: ClassSession, teacher: User, student: User
) -> None:
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="absent",
        reason="not seen",
    )
    with (
        SiteServer(env=SLOW) as site,
        open_stream(site, session_path(class_session), user=teacher) as stream,
    ):
        assert stream.next()["revision"] == 2
        stream.send({"type": "ping"})
        assert stream.receive() == {"type": "heartbeat", "revision": 2}
        code = class_session.verification_code or ""
        assert check_in_by_code(student=student, code=code).already_checked_in
        overruled = OverruledMark.objects.get()
        told = {"type": "heartbeat", "revision": 2, "conflicts": overruled.pk}
        assert stream.receive() == told
        stream.send({"type": "ping"})
        assert stream.receive() == told
