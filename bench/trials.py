"""A hall that checks in to one class session while screens watch it."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import time
from collections.abc import Iterator, Sequence

from django.test import Client

from attendance import codes
from attendance.models import AttendanceEvent, AttendanceRecord, ClassSession
from bench import school
from bench.load import Answer, load
from bench.sites import Site
from bench.watching import watch

SCREENS = 5
CLIENTS = 50
# So that every thread and every connection has been used before.
WARM_UP = 50
# After the last answer, for the last frame.
SETTLE_SECONDS = 0.5

Headers = Sequence[dict[str, str]]


@dataclasses.dataclass(frozen=True)
class Hall:
    """A school, and the headers of the teacher's screens."""

    school: school.School
    screens: Headers

    def new_class_session(self) -> ClassSession:
        """One more, open."""
        return school.new_class_session(self.school.course, self.school.teacher)


def make_hall(students: int, screens: int = SCREENS) -> Hall:
    """Into the current database."""
    made = school.make_school(students)
    return Hall(made, school.bearer_headers([made.teacher] * screens))


@contextlib.contextmanager
def attended(site: Site, hall: Hall, class_session: ClassSession) -> Iterator[None]:
    """With the hall's screens open; RuntimeError if no check-in came to one of them."""
    path = f"/ws/class-sessions/{class_session.pk}/"
    with watch(site.live.port, path, hall.screens) as screens:
        yield
        time.sleep(SETTLE_SECONDS)
    joined = {f.screen for f in screens.frames if f.type == "student_joined"}
    if len(joined) < len(hall.screens):
        raise RuntimeError("no check-in came to some of the screens")


def check_in_all(
    site: Site,
    class_sessions: Sequence[ClassSession],
    headers: Headers,
    *,
    clients: int = CLIENTS,
    rate: float | None = None,
) -> list[Answer]:
    """
    Everybody's check-in, to one of the class sessions after the other.

    RuntimeError unless all were answered 201.
    """
    requests = [b""] * len(headers)
    every = len(class_sessions)
    for number, class_session in enumerate(class_sessions):
        requests[number::every] = school.qr_check_ins(
            class_session, headers[number::every]
        )
    answers = load(site.web.port, requests, clients=clients, rate=rate)
    refused = collections.Counter(a.status for a in answers if a.status != 201)
    if refused:
        raise RuntimeError(f"check-ins were answered {dict(refused)}")
    return answers


def per_second(answers: Sequence[Answer]) -> float:
    """Check-ins that were answered 201, from the first request to the last answer."""
    created = sum(a.status == 201 for a in answers)
    return created / (max(a.done for a in answers) - min(a.sent for a in answers))


def milliseconds(answers: Sequence[Answer]) -> list[float]:
    """From when each was due."""
    return [a.seconds * 1000 for a in answers]


def check_in_here(class_session: ClassSession, headers: dict[str, str]) -> None:
    """One check-in in this process, through all middleware and the API."""
    token = codes.make_token(class_session.pk, class_session.code_generation)
    answer = Client(enforce_csrf_checks=True).post(
        "/api/v1/check-ins/qr/",
        json.dumps({"token": token}),
        content_type="application/json",
        headers={"Host": "127.0.0.1", **headers},
    )
    if answer.status_code != 201:
        raise RuntimeError(f"a check-in was answered {answer.status_code}")


def require_check_ins(class_sessions: Sequence[ClassSession], number: int) -> None:
    """RuntimeError unless so many records and events came to the class sessions."""
    ours = {"class_session__in": class_sessions}
    records = AttendanceRecord.objects.filter(**ours).count()
    events = AttendanceEvent.objects.filter(**ours, type="student_joined").count()
    counted = -sum(class_session.revision for class_session in class_sessions)
    for class_session in class_sessions:
        class_session.refresh_from_db(fields=["revision"])
        counted += class_session.revision
    if not records == events == counted == number:
        raise RuntimeError(
            f"of {number} check-ins by hand there are {records} records, "
            f"{events} events and {counted} revisions"
        )
