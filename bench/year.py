"""
A year of a university, and its 9 a.m. peak in miniature.

The model is arithmetic over the assumptions below. What this machine can do of it is
measured: check-ins arrive as they do around the full hour, at the full rate, but each
minute lasts MINUTE seconds, so that a peak fits into a benchmark. Each class session
has its teacher's page open, and each student's page of the record opens a socket, too.
"""

from __future__ import annotations

import dataclasses
import math
import time
from random import Random

from django.urls import reverse

from attendance.links import check_in_path
from attendance.services.marking import mark_in_bulk
from bench.figures import Row, Section, Spread, percentile
from bench.lab import Lab, say
from bench.load import Answer, http_request, load
from bench.school import (
    School,
    bearer_headers,
    cookie_headers,
    make_school,
    new_class_session,
)
from bench.sites import Site, production
from bench.watching import allow_sockets, watch_each
from bench.wire import handshake

# Assumptions -----------------------------------------------------------------------

STUDENTS = 50_000
# Class sessions of one student on a day of teaching, and such days in a year.
CLASSES_A_DAY = 3
DAYS = 150
# Of all students, who has a class at nine; of these, who comes.
AT_NINE = 0.6
COMING = 0.85
CLASS = 30
# Of a hundred who come, how many check in in each minute from five before the hour on.
ARRIVING = (1, 2, 4, 7, 11, 18, 17, 12, 8, 6, 4, 3, 3, 2, 2)
# The page behind the QR code, the check-in itself, and the page of the record.
REQUESTS = 3

# The miniature ---------------------------------------------------------------------

MINUTE = 1.5
# Parts of the university that the machine is given, one after the other.
SHARES = (0.5, 0.75, 1.0, 1.5)
CLIENTS = 100
# Opened during one replay, at most; rounded up.
SOCKETS = 1500
# After the last answer, for the last frame and the last socket.
SETTLE_SECONDS = 1.0
ORIGIN = {"Origin": "http://127.0.0.1"}
# Classes of a replay that is not counted.
WARM_UP = 3
GOAL_MS = 250


@dataclasses.dataclass(frozen=True)
class Peak:
    """What comes in around nine o'clock."""

    check_ins: float
    # In the fullest minute, a second.
    rate: float

    @classmethod
    def of(cls, share: float) -> Peak:
        check_ins = STUDENTS * AT_NINE * COMING * share
        return cls(check_ins, check_ins * max(ARRIVING) / 100 / 60)


@dataclasses.dataclass(frozen=True)
class Replayed:
    """
    The check-ins of one replay, and what went wrong in it.

    `wrong`: requests that were answered wrongly; `unseen`: check-ins that a teacher's
    screen was not told of, and students' sockets that got no snapshot.
    """

    check_ins: list[Answer]
    wrong: int
    unseen: int

    def percentile(self, percent: float) -> float:
        """In milliseconds."""
        return percentile([a.seconds * 1000 for a in self.check_ins], percent)


def run(lab: Lab) -> Section:
    lab.fresh_database()
    allow_sockets(4 * SOCKETS)
    classes = [_make_class() for _ in range(_classes(max(SHARES)))]
    found: dict[float, list[Replayed]] = {share: [] for share in SHARES}
    with production(lab) as site:
        # Every thread has its connection and its caches before anything counts.
        _replay(site, _morning(classes[:WARM_UP], Random(0)))
        for number in range(lab.rounds):
            for share in SHARES:
                some = classes[: _classes(share)]
                morning = _morning(some, Random(f"{number} {share}"))
                replayed = _replay(site, morning)
                say(
                    f"{share} × the peak: p50 {replayed.percentile(50):.0f} ms, "
                    f"p99 {replayed.percentile(99):.0f} ms, {replayed.wrong} wrong, "
                    f"{replayed.unseen} unseen, {len(morning.opened)} sockets"
                )
                found[share].append(replayed)
    return Section("A year of a university", _rows(found), _notes(found))


@dataclasses.dataclass(frozen=True)
class Sent:
    """A request and when it is due, in seconds after the start."""

    due: float
    request: bytes
    is_check_in: bool


@dataclasses.dataclass(frozen=True)
class Opened:
    """A student's socket: its handshake, and when it is opened."""

    due: float
    request: bytes


@dataclasses.dataclass(frozen=True)
class Morning:
    """What the quarter of an hour consists of, each in order."""

    screens: list[bytes]
    sent: list[Sent]
    opened: list[Opened]


def _replay(site: Site, morning: Morning) -> Replayed:
    sent, opened = morning.sent, morning.opened
    port = site.live.port
    with (
        watch_each(port, morning.screens) as teachers,
        watch_each(
            port, [one.request for one in opened], [one.due for one in opened]
        ) as students,
    ):
        answers = load(
            site.web.port,
            [one.request for one in sent],
            clients=CLIENTS,
            arrivals=[one.due for one in sent],
        )
        time.sleep(SETTLE_SECONDS)
    expected = [302 if one.is_check_in else 200 for one in sent]
    wrong = sum(a.status != e for a, e in zip(answers, expected, strict=True))
    check_ins = [a for a, one in zip(answers, sent, strict=True) if one.is_check_in]
    told = {frame.student_id for frame in teachers.frames} - {None}
    greeted = {frame.screen for frame in students.frames}
    unseen = len(check_ins) - len(told) + len(opened) - len(greeted)
    return Replayed(check_ins, wrong, unseen)


def _classes(share: float) -> int:
    """As many as make the peak's rate, with the shorter minute."""
    return round(Peak.of(share).check_ins * MINUTE / 60 / (CLASS * COMING))


@dataclasses.dataclass(frozen=True)
class Class:
    """
    A course, and the headers of its teacher's screen.

    By student, the browser's headers and the page of an earlier record.
    """

    school: School
    teacher: dict[str, str]
    students: list[tuple[dict[str, str], str]]


def _make_class() -> Class:
    school = make_school(CLASS)
    marked = mark_in_bulk(
        class_session=school.class_session,
        actor=school.teacher,
        operation="mark_present",
        reason="seen",
    )
    pages = {
        record["student_id"]: reverse("own-record", args=[record["id"]])
        for record in marked.records
    }
    headers = cookie_headers(school.students)
    paths = [pages[student.pk] for student in school.students]
    (teacher,) = bearer_headers([school.teacher])
    return Class(school, teacher, list(zip(headers, paths, strict=True)))


def _morning(classes: list[Class], random: Random) -> Morning:
    """
    All that happens in the quarter of an hour.

    The page that follows a check-in shows an earlier record of the same person: the
    address of the new one is known only to who has the answer. Its socket stays open.
    """
    screens, sent, opened = [], [], []
    for one in classes:
        session = new_class_session(one.school.course, one.school.teacher)
        stream = f"/ws/class-sessions/{session.pk}/"
        screens.append(handshake(stream, one.teacher))
        path = check_in_path(session)
        for header, record_page in one.students:
            if random.random() > COMING:
                continue
            (minute,) = random.choices(range(len(ARRIVING)), ARRIVING)
            at = (minute + random.random()) * MINUTE
            sent += [
                Sent(at, http_request("GET", path, header), False),
                Sent(at + 0.3, http_request("POST", path, header), True),
                Sent(at + 0.6, http_request("GET", record_page, header), False),
            ]
            opened.append(Opened(at + 0.9, handshake("/ws/me/", {**header, **ORIGIN})))
    return Morning(
        screens,
        sorted(sent, key=lambda one: one.due),
        sorted(opened, key=lambda one: one.due),
    )


def _is_held(replays: list[Replayed]) -> bool:
    slow = Spread.of((one.percentile(99) for one in replays), "ms")
    return slow.median <= GOAL_MS and not any(
        one.wrong or one.unseen for one in replays
    )


def _rows(found: dict[float, list[Replayed]]) -> list[Row]:
    rows = []
    for share, replays in found.items():
        rows.append(
            Row(
                what=f"check-ins at {share} × the university's peak "
                f"({Peak.of(share).rate:.0f}/s, {REQUESTS} requests each), p99",
                figure=Spread.of((one.percentile(99) for one in replays), "ms"),
                # Beyond the whole peak it is only to be seen how far it goes.
                goal=f"≤ {GOAL_MS} ms, 0 errors" if share <= 1 else "none",
                met=share > 1 or _is_held(replays),
                against="p50",
                limit=Spread.of((one.percentile(50) for one in replays), "ms"),
                reason=_reason(share, replays),
            )
        )
    return rows


def _reason(share: float, replays: list[Replayed]) -> str:
    wrong = sum(one.wrong for one in replays)
    unseen = sum(one.unseen for one in replays)
    if wrong or unseen:
        return f"{wrong} wrong answers, {unseen} messages or snapshots not seen."
    return "" if share > 1 or _is_held(replays) else _BUSY


_BUSY = (
    "Both cores are at work, and what arrives queues: a check-in is three requests, a "
    "WebSocket handshake with its snapshot, and two messages, and the load generator, "
    "the screens and the students' sockets run on the same cores."
)


def _notes(found: dict[float, list[Replayed]]) -> list[str]:
    peak = Peak.of(1)
    records = STUDENTS * CLASSES_A_DAY * DAYS
    model = (
        f"{STUDENTS:,} students with {CLASSES_A_DAY} class sessions a day on {DAYS} "
        f"days a year: {records / 1e6:.1f} million records and about as many events. "
        f"{AT_NINE:.0%} have a class at nine and {COMING:.0%} of these come: "
        f"{peak.check_ins:,.0f} check-ins from {ARRIVING.index(max(ARRIVING))} minutes "
        f"before the full hour on, {peak.rate:.0f} a second in the fullest minute, "
        f"{peak.check_ins / CLASS / COMING:,.0f} class sessions open at once. In the "
        f"miniature a minute has {MINUTE} s, so there are {_classes(1):,} class "
        "sessions, each with its teacher's page open; whoever has checked in keeps a "
        f"socket open, about {_classes(1) * CLASS * COMING:,.0f} in the end. Every "
        "teacher's page must hear of every check-in, and every student's socket get "
        "its snapshot."
    )
    held = max((s for s, replays in found.items() if _is_held(replays)), default=None)
    if held is None:
        return [model, f"This machine holds less than {min(SHARES)} × that peak."]
    machines = math.ceil(2 / held)
    return [
        model,
        f"This machine, load generator included, holds {held} × that peak "
        f"({Peak.of(held).rate:.0f} check-ins a second) within {GOAL_MS} ms. With as "
        f"much again in reserve the university needs {machines} of its kind.",
    ]
