"""
Services, sockets and faults at random; after each step everything must agree.

Every open socket, once a ping has healed it, shows a fresh snapshot; every record is
the replay of its events; counts are those of the rows; revisions have no holes.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from channels.layers import channel_layers
from django.db import transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from attendance import selectors
from attendance.exceptions import AttendanceError
from attendance.links import current_token
from attendance.models import ClassSession
from attendance.services import class_sessions as sessions
from attendance.services import courses, marking
from attendance.services.check_in import check_in_by_code, check_in_by_token
from attendance.services.conflicts import settle_conflict
from attendance.services.undo import undo_operation
from tests.cast import make_course, make_session, make_students, make_user, token_of
from tests.faults.clients import Client, OwnClient
from tests.faults.truth import fresh, require_consistent
from tests.faults.wire import Wire, tampered_wire
from tests.live import Frame, Stream, open_stream, session_path
from tests.servers import RedisServer, SiteServer

STUDENTS, OUTSIDERS = 4, 2
# Ten examples of each: past that they would mostly be near copies of each other.
SEEDS = range(3)
MOST_SOCKETS = 2
# Late enough that nothing is healed by a heartbeat before the ping.
SLOW_HEARTBEAT = {"ATTENDANCE_HEARTBEAT_SECONDS": "9"}

SESSION_CHANGES: list[Callable[..., object]] = [
    sessions.close_class_session,
    sessions.reopen_class_session,
    sessions.rotate_verification_code,
    sessions.edit_class_session,
]

people = st.integers(0, STUDENTS + OUTSIDERS - 1)
statuses = st.sampled_from(["present", "late", "absent", "excused"])
reasons = st.sampled_from(["ill", "bus", "seen"])
which = st.integers(0, 7)
back = st.integers(0, 8)
# By an administrator, rather than by the teacher.
above = st.sampled_from([False, False, True])

_numbers = itertools.count()


class World:
    """What all examples share: the servers, and the wire between them."""

    def __init__(self, site: SiteServer, redis: RedisServer, wire: Wire) -> None:
        self.site = site
        self.redis = redis
        self.wire = wire


class LivePage(RuleBasedStateMachine):
    """One class session of a course; each example has a new one."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.wire = self.world.wire
        self.stack = contextlib.ExitStack()
        self.clients: list[Client] = []
        self.own_clients: list[OwnClient] = []
        # What a client knew that had seen everything up to a revision.
        self.states: dict[int, Frame] = {}
        self.restarted = False

    @initialize()
    def open_class_session(self) -> None:
        number = next(_numbers)
        self.teacher = make_user(f"teacher{number}", "Tilda Owner")
        self.admin = make_user(f"admin{number}", "Astrid Admin", is_staff=True)
        self.course = make_course(self.teacher)
        self.people = make_students(self.course, STUDENTS, f"pupil{number}-")
        others = make_students(
            make_course(self.teacher, "Poetry"), OUTSIDERS, f"other{number}-"
        )
        self.people += others
        self.pk = make_session(self.course).pk
        self.token = token_of(self.teacher)
        self.own_tokens: dict[int, str] = {}
        self.states = {1: fresh(self.pk)}
        self.connect(back=0, how="new")
        self.connect_student(who=0)

    def teardown(self) -> None:
        self.stack.close()
        self.wire.losing = self.wire.repeating = False
        self.wire.release()

    # Services -------------------------------------------------------------------------

    @property
    def class_session(self) -> ClassSession:
        return ClassSession.objects.select_related("course").get(pk=self.pk)

    def attempt(self, service: Callable[..., object], **arguments: Any) -> None:
        """Call a service; a refusal is an answer, and must change nothing."""
        # The check after this step finds whatever a refusal has left behind.
        with contextlib.suppress(AttendanceError):
            service(**arguments)

    @rule(who=people, minutes=st.sampled_from([0, 2, 20, 90]), by_token=st.booleans())
    def check_in(self, who: int, minutes: int, by_token: bool) -> None:
        session, student = self.class_session, self.people[who]
        at = session.starts_at + timedelta(minutes=minutes)
        if by_token:
            token = current_token(session)
            self.attempt(check_in_by_token, student=student, token=token, at=at)
        else:
            code = session.verification_code or "nothing is open"
            self.attempt(check_in_by_code, student=student, code=code, at=at)

    @rule(
        who=people,
        status=statuses,
        reason=reasons,
        version=st.none() | people,
        above=above,
    )
    def override(
        self, who: int, status: str, reason: str, version: int | None, above: bool
    ) -> None:
        self.attempt(
            marking.override_status,
            class_session=self.class_session,
            actor=self.admin if above else self.teacher,
            student_id=self.people[who].pk,
            status=status,
            reason=reason,
            version=version,
        )

    @rule(
        status=statuses,
        reason=reasons,
        only_unmarked=st.booleans(),
        whom=st.none() | st.sets(people, min_size=1),
        seen=st.dictionaries(people, st.integers(0, 3)),
        above=above,
    )
    def bulk(
        self,
        status: str,
        reason: str,
        only_unmarked: bool,
        whom: set[int] | None,
        seen: dict[int, int],
        above: bool,
    ) -> None:
        ids = None if whom is None else [self.people[who].pk for who in sorted(whom)]
        self.attempt(
            marking.mark_in_bulk,
            class_session=self.class_session,
            actor=self.admin if above else self.teacher,
            versions={self.people[who].pk: version for who, version in seen.items()},
            operation=f"mark_{status}",
            reason=reason,
            student_ids=ids,
            only_unmarked=only_unmarked,
        )

    @rule(who=people, reason=reasons)
    def roll_back(self, who: int, reason: str) -> None:
        """A change that nobody may ever hear of."""
        with transaction.atomic():
            self.override(who, "excused", reason, None, True)
            transaction.set_rollback(True)

    @rule(back=back, above=above)
    def undo(self, back: int, above: bool) -> None:
        """Take back an operation: the last one, or so many before it."""
        listed = selectors.operations(
            self.class_session,
            self.admin if above else self.teacher,
            selectors.operation_events(self.pk),
        )
        # Mostly what can be undone; chance alone would come to closings.
        operations = [op for op in listed if op["is_undoable"] or back == 8]
        if not operations:
            return
        operation = operations[min(back, len(operations) - 1)]
        self.attempt(
            undo_operation,
            class_session=self.class_session,
            actor=self.admin if above else self.teacher,
            operation_id=UUID(operation["operation_id"]),
        )

    @rule(who=people, accept=st.booleans(), above=above)
    def settle(self, who: int, accept: bool, above: bool) -> None:
        """End a conflict, which chance alone would hardly ever come to."""
        self.override(who, "absent", "seen", None, False)
        self.check_in(who, 2, True)
        self.attempt(
            settle_conflict,
            class_session=self.class_session,
            actor=self.admin if above else self.teacher,
            student_id=self.people[who].pk,
            accept=accept,
        )

    @rule(
        change=st.sampled_from(SESSION_CHANGES),
        minutes=st.integers(0, 30),
    )
    def change_class_session(self, change: Callable[..., object], minutes: int) -> None:
        fields = (
            {"title": f"Grace of {minutes}", "grace_minutes": minutes}
            if change is sessions.edit_class_session
            else {}
        )
        session = self.class_session
        self.attempt(change, class_session=session, actor=self.teacher, **fields)

    @rule(
        who=people,
        change=st.sampled_from([courses.enroll_student, courses.unenroll_student]),
    )
    def enroll_or_unenroll(self, who: int, change: Callable[..., object]) -> None:
        self.attempt(
            change,
            course=self.course,
            student_id=self.people[who].pk,
            actor=self.teacher,
        )

    @rule(
        who=people,
        change=st.sampled_from([courses.enroll_student, courses.unenroll_student]),
    )
    def change_roster_in_silence(self, who: int, change: Callable[..., object]) -> None:
        """While it is closed, which chance alone would hardly ever come to."""
        self.change_class_session(sessions.close_class_session, 0)
        self.enroll_or_unenroll(who, change)
        self.change_class_session(sessions.reopen_class_session, 0)

    # Sockets --------------------------------------------------------------------------

    @property
    def sockets(self) -> list[Client | OwnClient]:
        return [*self.clients, *self.own_clients]

    def earlier(self, back: int) -> int:
        """A revision that a client may know: so many steps ago."""
        revisions = sorted(self.states)
        return revisions[max(0, len(revisions) - 1 - back)]

    def stream(self, path: str, token: str) -> Stream:
        headers = {"Authorization": f"Bearer {token}"}
        return self.stack.enter_context(
            open_stream(self.world.site, path, headers=headers)
        )

    @precondition(lambda self: len(self.clients) < MOST_SOCKETS)
    @rule(back=back, how=st.sampled_from(["new", "back", "ahead", "odd"]))
    def connect(self, back: int, how: str) -> None:
        after = self.earlier(back)
        query, state = {
            "new": ("", {}),
            "back": (f"?after={after}", self.states[after]),
            "ahead": (f"?after={max(self.states) + 1 + back}", {}),
            "odd": ("?after=-1", {}),
        }[how]
        path = session_path(self.class_session, query)
        client = Client(self.stream(path, self.token), state)
        client.open()
        self.clients.append(client)

    @precondition(lambda self: len(self.own_clients) < MOST_SOCKETS)
    @rule(who=people)
    def connect_student(self, who: int) -> None:
        student = self.people[who]
        token = self.own_tokens.setdefault(who, token_of(student))
        client = OwnClient(self.stream("me/", token), student)
        client.open()
        self.own_clients.append(client)

    @precondition(lambda self: self.sockets)
    @rule(which=which)
    def disconnect(self, which: int) -> None:
        client = self.sockets[which % len(self.sockets)]
        client.stream.connection.close()
        self.clients = [other for other in self.clients if other is not client]
        self.own_clients = [other for other in self.own_clients if other is not client]

    @precondition(lambda self: self.sockets)
    @rule(which=which, back=st.integers(-1, 8))
    def resync(self, which: int, back: int) -> None:
        client = self.sockets[which % len(self.sockets)]
        if isinstance(client, OwnClient):
            client.resync()
        elif back < 0:
            client.resync(max(self.states) + 1, {})
        else:
            after = self.earlier(back)
            client.resync(after, self.states[after])

    # Faults ---------------------------------------------------------------------------

    @rule(
        fault=st.sampled_from(
            ["none", "lose", "repeat", "hold back", "release", "restart Redis"]
        )
    )
    def change_fault(self, fault: str) -> None:
        self.wire.losing = fault == "lose"
        self.wire.repeating = fault == "repeat"
        if fault == "hold back":
            self.wire.holding = True
        elif fault == "release":
            # The latest first.
            self.wire.release()
        elif fault == "restart Redis" and not self.restarted:
            # Once an example: it takes as long as all the rest.
            self.restarted = True
            self.world.redis.kill()
            self.world.redis.start()

    # What holds after each step -------------------------------------------------------

    @invariant()
    def everything_agrees(self) -> None:
        messages = require_consistent(self.pk)
        expected = fresh(self.pk)
        for client in self.clients:
            client.require(expected, messages)
        for own in self.own_clients:
            own.require()
        self.states[expected["revision"]] = expected


@pytest.fixture
def world(transactional_db: None, settings: Any) -> Iterator[World]:
    """One process of the site, and a Redis that this process publishes to as well."""
    with RedisServer() as redis:
        layer = {**settings.CHANNEL_LAYERS["default"]}
        host = {**layer["CONFIG"]["hosts"][0], "address": redis.url}
        layer["CONFIG"] = {**layer["CONFIG"], "hosts": [host]}
        settings.CHANNEL_LAYERS = {"default": layer}
        channel_layers.backends.clear()
        env = {"REDIS_URL": redis.url, **SLOW_HEARTBEAT}
        with SiteServer(env=env) as site, tampered_wire() as wire:
            yield World(site, redis, wire)
    channel_layers.backends.clear()


# Shrinking a failure may take minutes.
@pytest.mark.timeout(900)
def test_whatever_happens_everything_agrees(world: World) -> None:
    LivePage.world = world
    for number in SEEDS:
        run_state_machine_as_test(
            seed(number)(LivePage),
            settings=settings(
                max_examples=10,
                stateful_step_count=30,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
