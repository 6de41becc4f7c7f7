"""One key, many requests at once: several processes on PostgreSQL make one change."""

from __future__ import annotations

import functools
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.utils import timezone

from attendance import selectors
from attendance.models import AttendanceRecord, ClassSession, Course, User
from attendance.services.class_sessions import edit_class_session
from tests.cast import client_for, token_of, wrong_code
from tests.live import FAST_HEARTBEAT, open_stream, session_path
from tests.servers import SiteServer
from tests.test_concurrency import assert_whole, at_once, statuses
from tests.test_concurrency_order import wait_until_blocked

pytestmark = pytest.mark.django_db(transaction=True)

Sites = tuple[SiteServer, SiteServer]
CODE = "/api/v1/check-ins/code/"


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def is_replayed(self) -> bool:
        return self.headers.get("idempotent-replayed") == "true"


class Sender:
    """A client of a running site that sends the same key each time."""

    def __init__(self, user: User, path: str, body: Any, key: str = "a-key") -> None:
        self.path = path
        self.body = body
        self.headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token_of(user)}",
            "Idempotency-Key": key,
        }

    def __call__(self, site: SiteServer, **changes: Any) -> Answer:
        """The site's answer; an error if it takes 20 s, as for a lock that is held."""
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
        body = json.dumps({**self.body, **changes})
        try:
            connection.request("POST", self.path, body, self.headers)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, json.loads(response.read()), headers)
        finally:
            connection.close()


def creating(course: Course, teacher: User, key: str = "a-key") -> Sender:
    """To create an open session: it needs a lock on the course."""
    body = {"course_id": course.pk, "open": True}
    return Sender(teacher, "/api/v1/class-sessions/", body, key)


def locked(course: Course) -> Course:
    return Course.objects.select_for_update(no_key=True).get(pk=course.pk)


def assert_still_running(answer: Answer) -> None:
    assert (answer.status, answer.body["code"]) == (409, "request_in_progress")
    assert answer.headers["retry-after"] == "1"
    assert not answer.is_replayed


def test_what_one_process_did_the_other_answers(
    sites: Sites, class_session: ClassSession, teacher: User, student: User
) -> None:
    here, there = sites
    body = {"verification_code": class_session.verification_code}
    send = Sender(student, CODE, body)
    with open_stream(there, session_path(class_session), user=teacher) as stream:
        stream.next()
        first = send(here)
        assert (first.status, first.is_replayed) == (201, False)
        assert stream.next()["data"]["id"] == first.body["record"]["id"]
        for site in sites:
            again = send(site)
            assert (again.status, again.body) == (201, first.body)
            assert again.is_replayed
        path = f"/api/v1/class-sessions/{class_session.pk}/rotate-code/"
        Sender(teacher, path, {})(here)
        # Next to come, so the repetitions sent nothing.
        assert stream.next()["data"]["event"] == "code_rotated"


def test_twenty_at_once_create_one_class_session(
    sites: Sites, course: Course, teacher: User
) -> None:
    for n in range(4):
        send = creating(course, teacher, f"key {n}")
        calls = [functools.partial(send, site) for site in sites] * 10
        answers = at_once(*calls)

        (created,) = (a for a in answers if a.status == 201 and not a.is_replayed)
        for answer in answers:
            if answer.status == 201:
                assert answer.body == created.body
            else:
                assert_still_running(answer)
        assert ClassSession.objects.count() == n + 1
        # Once it is answered nobody is put off, however many ask.
        again = at_once(*calls)
        assert [a.body for a in again if a.is_replayed] == [created.body] * 20


def test_while_the_first_still_runs(
    sites: Sites, course: Course, teacher: User
) -> None:
    """Whoever waited for it would wait for the lock that is held here, for ever."""
    send = creating(course, teacher)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locked(course)
            first = pool.submit(send, sites[0])
            wait_until_blocked(1)
            for site in sites:
                assert_still_running(send(site))
                other = send(site, title="Other")
                assert other.status == 422
                assert other.body["code"] == "idempotency_key_reused"
        created = first.result()
    assert (created.status, created.is_replayed) == (201, False)
    again = send(sites[1])
    assert (again.status, again.body, again.is_replayed) == (201, created.body, True)
    assert ClassSession.objects.count() == 1


def test_a_killed_process_leaves_the_key_free(
    sites: Sites, course: Course, teacher: User
) -> None:
    send = creating(course, teacher)

    def send_in_vain(site: SiteServer) -> None:
        with pytest.raises((OSError, http.client.HTTPException)):
            send(site)

    with SiteServer(env=FAST_HEARTBEAT) as doomed, ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locked(course)
            first = pool.submit(send_in_vain, doomed)
            wait_until_blocked(1)
            doomed.kill()
            first.result()
            # Its statement still waits in the database, its transaction is open.
            assert_still_running(send(sites[0]))
        for _ in range(200):
            answer = send(sites[0])
            if answer.status != 409:
                break
            assert_still_running(answer)
            threading.Event().wait(0.05)
    assert (answer.status, answer.is_replayed) == (201, False)
    assert ClassSession.objects.get().pk == answer.body["id"]
    assert send(sites[1]).body == answer.body


def test_a_check_in_is_judged_again_when_the_session_moves(
    class_session: ClassSession, teacher: User, student: User
) -> None:
    """The first try is undone alone, not the claim on the key around it."""
    client = client_for(student)
    body = {"verification_code": class_session.verification_code}
    before = selectors.snapshot(class_session.pk)

    def check_in() -> Any:
        return at_once(lambda: client.post(CODE, body, HTTP_IDEMPOTENCY_KEY="k"))[0]

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            edit_class_session(
                class_session=class_session,
                actor=teacher,
                starts_at=timezone.now() - timedelta(minutes=30),
            )
            joined = pool.submit(check_in)
            # It has found the session as it was before, and waits to write that.
            wait_until_blocked(1)
        answer = joined.result()
    assert answer.status_code == 201
    assert answer.json()["record"]["attendance_status"] == "late"
    kinds = [message["type"] for message in assert_whole(before)]
    assert kinds == ["session_update", "student_joined"]
    again = client.post(CODE, body, HTTP_IDEMPOTENCY_KEY="k")
    assert (again.status_code, again.json()) == (201, answer.json())
    assert AttendanceRecord.objects.get().version == 1


def test_guesses_at_once_with_a_key_each_are_ten(
    class_session: ClassSession, student: User
) -> None:
    client = client_for(student)
    body = {"verification_code": wrong_code(class_session)}

    def guess(n: int) -> Any:
        return client.post(CODE, body, HTTP_IDEMPOTENCY_KEY=f"guess {n}")

    answers = at_once(*(functools.partial(guess, n) for n in range(20)))
    assert statuses(answers) == [404] * 10 + [429] * 10
