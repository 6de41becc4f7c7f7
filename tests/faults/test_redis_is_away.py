"""Redis down, Redis hung: check-ins go on, screens heal, the log says so once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attendance.models import AttendanceRecord, ClassSession, User
from tests.cast import enroll, make_course, make_students, token_of
from tests.live import FAST_HEARTBEAT, HEALING, open_stream, post, session_path
from tests.servers import RedisServer, SiteServer

pytestmark = pytest.mark.django_db(transaction=True)

# "Well under a second": a request that takes longer fails by its socket's time-out.
AT_ONCE = 0.9


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, to stop and to freeze."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def site(transactional_db: None, redis: RedisServer) -> Iterator[SiteServer]:
    with SiteServer(env={"REDIS_URL": redis.url, **FAST_HEARTBEAT}) as server:
        yield server


def check_in(site: SiteServer, class_session: ClassSession, student: User) -> None:
    body = {"verification_code": class_session.verification_code}
    status, answer = post(
        site, "check-ins/code/", body, token=token_of(student), timeout=AT_ONCE
    )
    assert (status, answer["record"]["attendance_status"]) == (201, "present")


def failures(site: SiteServer) -> list[str]:
    return [line for line in site.log.splitlines() if "publishing failed" in line]


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_check_ins_and_screens_survive(
    site: SiteServer,
    redis: RedisServer,
    teacher: User,
    class_session: ClassSession,
    fault: str,
) -> None:
    students = make_students(class_session.course, 6)
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        check_in(site, class_session, students[0])
        assert stream.next()["revision"] == 2

        if fault == "stopped":
            redis.kill()
        else:
            redis.freeze()
        for student in students[1:4]:
            check_in(site, class_session, student)
        # Nobody rings, so the heartbeat brings them.
        frames = stream.until(5, timeout=HEALING)
        assert [frame["revision"] for frame in frames] == [3, 4, 5]
        while not failures(site):
            # A hung Redis is given up on after its two seconds.
            stream.heartbeat()

        if fault == "stopped":
            redis.restart()
        else:
            redis.thaw()
        check_in(site, class_session, students[4])
        assert stream.next(timeout=HEALING)["revision"] == 6
        check_in(site, class_session, students[5])
        assert stream.next(timeout=HEALING)["revision"] == 7

    assert AttendanceRecord.objects.filter(class_session=class_session).count() == 6
    (failure,) = failures(site)
    assert f"of class session {class_session.pk}" in failure


def test_a_page_opened_while_redis_is_down_is_right_too(
    site: SiteServer, redis: RedisServer, teacher: User, class_session: ClassSession
) -> None:
    students = make_students(class_session.course, 3)
    redis.kill()
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        assert stream.next(timeout=HEALING)["type"] == "snapshot"
        check_in(site, class_session, students[0])
        assert stream.next(timeout=HEALING)["revision"] == 2

        redis.restart()
        check_in(site, class_session, students[1])
        assert stream.next(timeout=HEALING)["revision"] == 3
        check_in(site, class_session, students[2])
        assert stream.next(timeout=HEALING)["revision"] == 4


def test_a_student_of_many_courses_can_watch_while_redis_is_down(
    site: SiteServer, redis: RedisServer, teacher: User, class_session: ClassSession
) -> None:
    """However many groups there are to hear, the handshake does not wait for each."""
    (student,) = make_students(class_session.course, 1)
    for number in range(5):
        enroll(make_course(teacher, f"Course {number}"), student)
    redis.kill()
    with open_stream(site, "me/", user=student) as stream:
        assert stream.next(timeout=HEALING) == {"type": "snapshot", "records": []}
        check_in(site, class_session, student)
        assert stream.next(timeout=HEALING)["type"] == "student_joined"
