"""What is missing comes as the exact messages, or where those are too many as one
snapshot: nothing that is read or kept for a socket is without bounds."""

from __future__ import annotations

import pytest
from django.db import transaction

from attendance import selectors
from attendance.models import ClassSession, User
from attendance.services.marking import mark_in_bulk, override_status
from tests.cast import make_students
from tests.inside import Doorbell, Inside
from tests.live import open_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


@transaction.atomic
def change(class_session: ClassSession, teacher: User, student: User, n: int) -> None:
    """Commit so many messages about one student: at once, so no heartbeat sees half."""
    for number in range(n):
        override_status(
            class_session=class_session,
            actor=teacher,
            student_id=student.pk,
            status="absent" if number % 2 else "present",
            reason=f"change {number}",
        )


@transaction.atomic
def change_all(class_session: ClassSession, teacher: User, n: int) -> None:
    """Commit so many messages about all students, at once."""
    for number in range(n):
        mark_in_bulk(
            class_session=class_session,
            actor=teacher,
            operation="mark_absent" if number % 2 else "mark_present",
            reason="again",
        )


def frames_after(
    site: SiteServer, teacher: User, class_session: ClassSession, after: int
) -> list[tuple[str, int]]:
    """Type and revision of all frames of a new connection before its first ping."""
    path = session_path(class_session, f"?after={after}")
    frames = []
    with open_stream(site, path, user=teacher) as stream:
        first = stream.receive()
        stream.send({"type": "ping"})
        while first["type"] != "heartbeat":
            frames.append((first["type"], first["revision"]))
            first = stream.receive()
    return frames


def test_it_works(
    site: SiteServer, teacher: User, student: User, class_session: ClassSession
) -> None:
    change(class_session, teacher, student, selectors.REPLAY_MESSAGES)
    last = 1 + selectors.REPLAY_MESSAGES

    assert frames_after(site, teacher, class_session, after=1) == [
        ("attendance_update", revision) for revision in range(2, last + 1)
    ]
    change(class_session, teacher, student, 1)
    assert frames_after(site, teacher, class_session, after=1) == [
        ("snapshot", last + 1)
    ]


def test_bulk_changes_count_as_what_they_hold(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    make_students(class_session.course, 300)
    change_all(class_session, teacher, 2)
    assert frames_after(site, teacher, class_session, after=1) == [
        ("attendance_update", revision) for revision in (2, 3)
    ]
    change_all(class_session, teacher, 2)
    assert frames_after(site, teacher, class_session, after=1) == [("snapshot", 5)]


def test_one_change_comes_as_it_is_however_many_it_concerns(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    make_students(class_session.course, 1100)
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        change_all(class_session, teacher, 1)
        live = stream.next()

    assert live["type"] == "attendance_update"
    assert frames_after(site, teacher, class_session, after=1) == [
        ("attendance_update", 2)
    ]


async def test_a_student_who_missed_too_much_gets_a_snapshot(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    student: User,
    class_session: ClassSession,
) -> None:
    stream = await inside.open("me/", student)
    assert (await stream.receive())["records"] == []
    few, many = 3, selectors.REPLAY_MESSAGES
    await inside.do(change, class_session, teacher, student, few)
    await stream.send({"type": "ping"})
    versions = [(await stream.receive())["data"]["version"] for _ in range(few)]
    assert versions == [1, 2, 3]

    await inside.do(change, class_session, teacher, student, many)
    await stream.send({"type": "ping"})
    frame = await stream.next()
    assert frame["type"] == "snapshot"
    assert [r["version"] for r in frame["records"]] == [few + many]
