"""Whatever becomes of the doorbell: ascending, without holes, nothing twice.

In this process, with heartbeats that come too late to heal: what is asserted is the
work of the stream itself, but where a test waits for the heartbeat.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels_redis.pubsub import RedisSingleShardConnection

from attendance import selectors
from attendance.events import BEAT_NOW, MESSAGE_TYPE, class_session_group
from attendance.models import ClassSession, User
from attendance.payloads import Payload
from attendance.publisher import Publication, publisher
from attendance.services.check_in import check_in_by_code
from realtime.hub import current_hub
from realtime.mailbox import Mailbox
from tests.cast import make_students
from tests.inside import SOON, Doorbell, Inside, InsideStream, statements
from tests.live import session_path


def check_in(class_session: ClassSession, *students: User) -> None:
    for student in students:
        check_in_by_code(student=student, code=class_session.verification_code or "")


def publication(class_session_id: int, message: Payload) -> Publication:
    envelope = {"type": MESSAGE_TYPE, "message": message}
    return Publication(class_session_group(class_session_id), envelope, "a test")


async def revisions(stream: InsideStream, last: int) -> list[int]:
    """The revisions of the frames that come, until that one has come."""
    found: list[int] = []
    while not found or found[-1] < last:
        found.append((await stream.next())["revision"])
    return found


@pytest.fixture
def pupils(class_session: ClassSession) -> list[User]:
    return make_students(class_session.course, 6)


async def test_it_works(
    inside: Inside, teacher: User, class_session: ClassSession, pupils: list[User]
) -> None:
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["type"] == "snapshot"
    await inside.do(check_in, class_session, *pupils)
    assert await revisions(stream, 7) == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((0, 2), id="dropped"),
        pytest.param((2,), id="all-but-the-last-dropped"),
        pytest.param((0, 0, 1, 0, 1, 1, 2), id="duplicated"),
        pytest.param((2, 1, 0), id="reversed"),
        pytest.param((1, 0, 2), id="swapped"),
        pytest.param((1, 1, 2, 0, 0, 2), id="reordered-and-duplicated"),
    ],
)
async def test_it_holds_whatever_is_published(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
    order: tuple[int, ...],
) -> None:
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, *pupils[:3])
    *_, one, two, three = doorbell.held_for(class_session_group(class_session.pk))

    await doorbell.ring(*((one, two, three)[number] for number in order))
    assert await revisions(stream, 4) == [2, 3, 4]

    # And nothing of it comes later: the next frame is the next change.
    await inside.do(check_in, class_session, pupils[3])
    *_, four = doorbell.held_for(class_session_group(class_session.pk))
    await doorbell.ring(four)
    assert await revisions(stream, 5) == [5]


async def test_a_lost_last_message_comes_with_the_next_heartbeat(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
    settings: Any,
) -> None:
    settings.STREAM_HEARTBEAT_SECONDS = 1
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, *pupils[:2])

    assert await revisions(stream, 3) == [2, 3]
    assert (await stream.receive()) == {"type": "heartbeat", "revision": 3}


async def test_a_ping_is_answered_by_the_database(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
) -> None:
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, pupils[0])

    await stream.send({"type": "ping"})
    assert (await stream.receive())["revision"] == 2
    assert (await stream.receive()) == {"type": "heartbeat", "revision": 2}


async def test_a_heartbeat_can_be_had_at_once(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    co_teacher: User,
    class_session: ClassSession,
    pupils: list[User],
) -> None:
    path = session_path(class_session)
    streams = [await inside.open(path, user) for user in (teacher, co_teacher)]
    for stream in streams:
        assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, pupils[0])
    await doorbell.ring(publication(class_session.pk, BEAT_NOW))
    for stream in streams:
        assert (await stream.receive())["revision"] == 2
        assert (await stream.receive()) == {"type": "heartbeat", "revision": 2}


# Between subscribing and reading ----------------------------------------------------


@pytest.mark.parametrize("moment", ["before the read", "after the read"])
async def test_what_happens_while_the_snapshot_is_read_comes_once(
    inside: Inside,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    read = selectors.snapshot
    waiting = [pupils[0]]

    def check_in_once() -> None:
        if waiting:
            check_in(class_session, waiting.pop())
            assert publisher.flush()

    def snapshot(class_session_id: int) -> Any:
        if moment == "before the read":
            check_in_once()
        found = read(class_session_id)
        check_in_once()
        return found

    monkeypatch.setattr(selectors, "snapshot", snapshot)
    stream = await inside.open(session_path(class_session), teacher)
    first = await stream.receive()
    await inside.do(check_in, class_session, pupils[1])

    assert first["type"] == "snapshot"
    expected = [2, 3] if moment == "before the read" else [1, 2, 3]
    assert [first["revision"], *await revisions(stream, 3)] == expected


async def test_messages_that_overtake_each_other_are_sorted_without_the_database(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As those of two web processes do all the time under load."""
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, *pupils[:3])
    *_, one, two, three = doorbell.held_for(class_session_group(class_session.pk))
    with statements(monkeypatch) as seen:
        await doorbell.ring(three, two, one)
        assert await revisions(stream, 4) == [2, 3, 4]
    assert seen == []


async def test_a_gap_is_noticed_after_an_overflow_that_came_with_one(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, *pupils[:2])
    *_, early = doorbell.held_for(class_session_group(class_session.pk))
    notice = Mailbox.mark_hole

    def overflow_as_well(mailbox: Mailbox) -> None:
        notice(mailbox)
        with monkeypatch.context() as patch:
            patch.setattr("realtime.mailbox.MAILBOX_MESSAGES", 1)
            for _ in range(2):
                mailbox.offer(early.message["message"])

    with monkeypatch.context() as patch:
        patch.setattr(Mailbox, "mark_hole", overflow_as_well)
        await doorbell.ring(early)
        snapshot = await stream.next()
    assert (snapshot["type"], snapshot["revision"]) == ("snapshot", 3)

    await inside.do(check_in, class_session, *pupils[2:4])
    *_, early = doorbell.held_for(class_session_group(class_session.pk))
    await doorbell.ring(early)
    assert await revisions(stream, 5) == [4, 5]


async def test_gaps_that_close_in_time_are_no_reason_to_read_however_many_follow(
    inside: Inside,
    doorbell: Doorbell,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is younger than the patience, all of them together last longer."""
    monkeypatch.setattr("realtime.consumers.OVERTAKEN_SECONDS", 2.0)
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, *pupils)
    held = doorbell.held_for(class_session_group(class_session.pk))
    by_revision = {h.message["message"].get("revision"): h for h in held}
    with statements(monkeypatch) as seen:
        await doorbell.ring(by_revision[3])
        for early, late in ((5, 2), (7, 4)):
            await asyncio.sleep(1.2)
            await doorbell.ring(by_revision[early], by_revision[late])
            assert await revisions(stream, late + 1) == [late, late + 1]
        await doorbell.ring(by_revision[6])
        assert await revisions(stream, 7) == [6, 7]
    assert seen == []


async def test_nothing_said_right_after_subscribing_is_lost(inside: Inside) -> None:
    """The layer does not wait for Redis to subscribe; the hub does."""
    hub, joined = current_hub(), []
    for number in range(300):
        mailbox, group = Mailbox(), class_session_group(number)
        await hub.join({group}, mailbox)
        message = {"type": "a test", "number": number}
        publisher.submit(publication(number, message))
        joined.append((mailbox, group, message))
    for mailbox, group, message in joined:
        async with asyncio.timeout(SOON):
            await mailbox.wait()
        assert mailbox.take().messages == [message]
        await hub.leave({group}, mailbox)


async def test_a_subscription_that_takes_its_time_is_waited_for(
    inside: Inside,
    teacher: User,
    class_session: ClassSession,
    pupils: list[User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the layer's do now and then: it says that it listens before it does."""
    subscribe = RedisSingleShardConnection.subscribe
    under_way = []

    async def subscribe_later(shard: RedisSingleShardConnection, channel: str) -> None:
        async def later() -> None:
            await asyncio.sleep(0.2)
            await subscribe(shard, channel)

        under_way.append(asyncio.create_task(later()))

    monkeypatch.setattr(RedisSingleShardConnection, "subscribe", subscribe_later)
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    await inside.do(check_in, class_session, pupils[0])
    assert await revisions(stream, 2) == [2]
    await asyncio.gather(*under_way)


async def test_nothing_is_lost_while_the_hub_subscribes_anew(
    inside: Inside,
    teacher: User,
    class_session: ClassSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it does every hour, before the layer forgets it."""
    monkeypatch.setattr("realtime.hub.RESUBSCRIBE_SECONDS", 0.02)
    students = await inside.do(make_students, class_session.course, 60)
    stream = await inside.open(session_path(class_session), teacher)
    assert (await stream.receive())["revision"] == 1
    for student in students:
        await inside.do(check_in, class_session, student)
    assert await revisions(stream, 61) == list(range(2, 62))
