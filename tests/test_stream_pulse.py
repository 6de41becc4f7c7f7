"""One heartbeat for all: the number of queries does not grow with the screens."""

from __future__ import annotations

import asyncio
from json import dumps
from typing import Any

import pytest
from django.test import Client

from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_code
from attendance.services.marking import mark_in_bulk
from tests.cast import make_students
from tests.inside import Doorbell, Inside, InsideStream, statements
from tests.live import session_path

SCREENS = 20
BEATS = 3
# One may be under way when the counting begins or ends.
MOST_BEATS = BEATS + 2


@pytest.fixture(autouse=True)
def frequent(inside: Inside, settings: Any) -> None:
    """After `inside`, which has them seldom."""
    settings.STREAM_HEARTBEAT_SECONDS = 1


async def heartbeats(streams: list[InsideStream], number: int = BEATS) -> None:
    """Wait until every stream has had so many more heartbeats."""
    for _ in range(number):
        await asyncio.gather(*(stream.heartbeat() for stream in streams))


def reading(seen: list[str], table: str) -> list[str]:
    reads = [sql for sql in seen if sql.split()[0] == "SELECT"]
    return [sql for sql in reads if f'FROM "{table}"' in sql]


async def test_it_works(
    inside: Inside,
    teacher: User,
    class_session: ClassSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = session_path(class_session)
    streams = [await inside.open(path, teacher) for _ in range(SCREENS)]
    await heartbeats(streams, 1)
    with statements(monkeypatch) as seen:
        await heartbeats(streams)

    revisions = [sql for sql in seen if sql.split()[:2] == ["SELECT", "s.revision,"]]
    assert BEATS - 1 <= len(revisions) <= MOST_BEATS
    # The session's course, the tokens with their users, who teaches.
    assert len(seen) <= 4 * MOST_BEATS


async def test_who_may_watch_is_asked_once_for_all_kinds_of_credentials(
    inside: Inside,
    teacher: User,
    co_teacher: User,
    admin: User,
    class_session: ClassSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = session_path(class_session)
    streams = []
    for user in (teacher, co_teacher, admin):
        client = Client()
        await inside.do(client.force_login, user)
        key = client.cookies["sessionid"].value
        streams.append(await inside.open(path, user, session_key=key))
        streams.append(await inside.open(path, user))
    await heartbeats(streams, 1)
    with statements(monkeypatch) as seen:
        await heartbeats(streams)

    assert BEATS - 1 <= len(reading(seen, "django_session")) <= MOST_BEATS
    # As above, and the log-ins with theirs.
    assert len(seen) <= 6 * MOST_BEATS


async def test_what_all_have_missed_is_read_once(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    student: User,
    class_session: ClassSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = session_path(class_session)
    streams = [await inside.open(path, teacher) for _ in range(SCREENS)]
    for stream in streams:
        assert (await stream.next())["revision"] == 1
    code = class_session.verification_code or ""
    with statements(monkeypatch) as seen:
        await inside.do(check_in_by_code, student=student, code=code)
        for stream in streams:
            assert (await stream.next())["revision"] == 2

    # How much it is, and what it is.
    assert len(reading(seen, "attendance_attendanceevent")) == 2


@pytest.mark.parametrize("path", ["class session", "me/"])
async def test_a_heartbeat_becomes_json_once_for_all(
    inside: Inside,
    teacher: User,
    class_session: ClassSession,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    path = session_path(class_session) if path == "class session" else path
    streams = [await inside.open(path, teacher) for _ in range(SCREENS)]
    await heartbeats(streams, 1)
    made = []

    def counting(frame: Any, **how: Any) -> str:
        made.append(frame)
        return dumps(frame, **how)

    monkeypatch.setattr("realtime.encoding.json.dumps", counting)
    await heartbeats(streams)
    assert len(made) <= MOST_BEATS


async def test_students_share_a_heartbeat(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    class_session: ClassSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    students = await inside.do(make_students, class_session.course, SCREENS)
    streams = [await inside.open("me/", student) for student in students]
    await heartbeats(streams, 1)
    with statements(monkeypatch) as seen:
        await heartbeats(streams)
    # Tokens with their students, courses, totals of the records.
    assert BEATS * 3 - 3 <= len(seen) <= 3 * MOST_BEATS

    with statements(monkeypatch) as seen:
        await inside.do(
            mark_in_bulk,
            class_session=class_session,
            actor=teacher,
            operation="mark_excused",
            reason="trip",
            student_ids=[students[0].pk],
        )
        del seen[:]
        # Nobody rang: the totals have told.
        message = await streams[0].next()
        await heartbeats(streams)
    (record,) = message["data"]["records"]
    assert record["student_id"] == students[0].pk
    # The totals of all, and once more those of the one, with the records.
    own_records = [
        sql for sql in reading(seen, "attendance_attendancerecord") if "SUM(" not in sql
    ]
    assert len(own_records) == 1
