"""Who may open a stream, and what it says first."""

from __future__ import annotations

import pytest
from django.test import Client

from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_code
from attendance.services.class_sessions import (
    close_class_session,
    reopen_class_session,
)
from attendance.services.courses import enroll_student
from tests.cast import client_for, make_session
from tests.live import handshake_status, open_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


def test_it_works(site: SiteServer, teacher: User, class_session: ClassSession) -> None:
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        first = stream.receive()

    api = client_for(teacher).get(f"/api/v1/class-sessions/{class_session.pk}/roster/")
    assert first == api.json()
    assert [r["attendance_status"] for r in first["records"]] == ["unmarked"] * 2


def test_a_browser_connects_with_cookie_and_same_origin(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    path = session_path(class_session)
    cookie = cookie_of(teacher)

    def status(origin: str | None) -> int:
        headers = {"Cookie": cookie} | ({"Origin": origin} if origin else {})
        return handshake_status(site, path, headers=headers)

    assert status(site.url) == 101
    assert status(None) == 403
    assert status("null") == 403
    assert status("http://evil.example") == 403
    assert status(site.url.replace("http:", "https:")) == 403
    assert status(site.url + "/") == 403
    assert status(site.url.replace("//", "//me@")) == 403
    assert status(f"http://127.0.0.1:{site.port + 1}") == 403


def test_the_bearer_header_needs_no_origin(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    path = session_path(class_session)
    elsewhere = {"Origin": "http://evil.example"}
    assert handshake_status(site, path, teacher, elsewhere) == 101


def test_only_teachers_and_administrators_may_watch(
    site: SiteServer,
    class_session: ClassSession,
    teacher: User,
    co_teacher: User,
    admin: User,
    other_teacher: User,
    student: User,
    outsider: User,
) -> None:
    path = session_path(class_session)
    for user in (teacher, co_teacher, admin):
        assert handshake_status(site, path, user) == 101, user
    for user in (other_teacher, student, outsider):
        assert handshake_status(site, path, user) == 403, user
    assert handshake_status(site, path) == 403, "nobody"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic dTpw"},
        {"Cookie": "sessionid=nonsense"},
        {"Cookie": "sessionid=%00; =; x"},
    ],
)
def test_bad_credentials_are_refused(
    site: SiteServer, class_session: ClassSession, headers: dict[str, str]
) -> None:
    headers = {"Origin": site.url} | headers
    for path in (session_path(class_session), "me/"):
        assert handshake_status(site, path, headers=headers) == 403


@pytest.mark.parametrize(
    "path",
    ["class-sessions/999999/", f"class-sessions/{10**30}/", "class-sessions/x/", "no/"],
)
def test_what_is_not_there_is_refused(site: SiteServer, admin: User, path: str) -> None:
    assert handshake_status(site, path, admin) == 403


def test_a_client_that_knows_a_revision_gets_what_it_missed(
    site: SiteServer,
    teacher: User,
    student: User,
    student2: User,
    class_session: ClassSession,
) -> None:
    code = class_session.verification_code or ""
    check_in_by_code(student=student, code=code)
    check_in_by_code(student=student2, code=code)

    def first_frames(after: str, number: int) -> list[tuple[str, int]]:
        path = session_path(class_session, f"?after={after}")
        with open_stream(site, path, user=teacher) as stream:
            frames = [stream.receive() for _ in range(number)]
        return [(frame["type"], frame["revision"]) for frame in frames]

    assert first_frames("1", 2) == [("student_joined", 2), ("student_joined", 3)]
    assert first_frames("2", 1) == [("student_joined", 3)]
    assert first_frames("3", 1) == [("heartbeat", 3)]
    assert first_frames("4", 1) == [("snapshot", 3)]
    assert first_frames("", 1) == [("snapshot", 3)]
    assert first_frames("-1", 1) == [("snapshot", 3)]
    assert first_frames("one", 1) == [("snapshot", 3)]
    assert first_frames("%D9%A1", 1) == [("snapshot", 3)]
    assert first_frames("9" * 40, 1) == [("snapshot", 3)]
    # Opening is followed by a snapshot, which covers the rest.
    assert first_frames("0", 2) == [("session_update", 1), ("snapshot", 3)]


def test_the_messages_are_the_same_live_replayed_and_from_the_api(
    site: SiteServer, teacher: User, student: User, class_session: ClassSession
) -> None:
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        check_in_by_code(student=student, code=class_session.verification_code or "")
        live = stream.next()
    with open_stream(
        site, session_path(class_session, "?after=1"), user=teacher
    ) as stream:
        replayed = stream.receive()
    events = client_for(teacher).get(
        f"/api/v1/class-sessions/{class_session.pk}/events/?after=1"
    )

    assert live == replayed == events.json()["events"][0]


def test_a_scheduled_session_can_be_watched(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    planned = make_session(class_session.course, open_now=False)
    with open_stream(site, session_path(planned), user=teacher) as stream:
        first = stream.receive()

    assert (first["revision"], first["class_session"]["state"]) == (0, "scheduled")
    assert first["class_session"]["verification_code"] is None


def test_who_missed_the_snapshot_of_a_reopening_gets_it(
    site: SiteServer, teacher: User, outsider: User, class_session: ClassSession
) -> None:
    """Nobody was told of an enrollment while the session was closed."""
    close_class_session(class_session=class_session, actor=teacher)
    enroll_student(course=class_session.course, student_id=outsider.pk, actor=teacher)
    reopened = reopen_class_session(class_session=class_session, actor=teacher)

    path = session_path(class_session, f"?after={reopened.revision}")
    with open_stream(site, path, user=teacher) as stream:
        first = stream.receive()
        stream.send({"type": "resync", "after": reopened.revision})
        again = stream.next()

    assert first["type"] == again["type"] == "snapshot"
    assert outsider.pk in [r["student_id"] for r in first["records"]]


def test_a_planned_session_whose_roster_changed_is_shown_anew(
    site: SiteServer, teacher: User, outsider: User, class_session: ClassSession
) -> None:
    planned = make_session(class_session.course, open_now=False)
    path = session_path(planned, "?after=0")
    with open_stream(site, path, user=teacher) as stream:
        assert stream.receive() == {"type": "heartbeat", "revision": 0}
    enroll_student(course=class_session.course, student_id=outsider.pk, actor=teacher)
    with open_stream(site, path, user=teacher) as stream:
        first = stream.receive()
    assert outsider.pk in [r["student_id"] for r in first["records"]]
