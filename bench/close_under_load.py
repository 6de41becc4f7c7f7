"""Closing a large class session while check-ins arrive, there and elsewhere."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from attendance.models import AttendanceEvent, AttendanceRecord, ClassSession, Status
from bench import school
from bench.figures import Row, Section, Spread, percentile, ratios
from bench.lab import Lab
from bench.load import Answer, http_request, start_load
from bench.sites import Site, production
from bench.watching import Screens, watch

UNMARKED = 1000
# Of the check-ins, every other one goes to the class session that is closed.
CHECK_INS, RATE = 400, 100.0
CLOSE_AFTER_SECONDS = 2.0
CLIENTS = 50
PATIENCE_SECONDS = 1.0
REASON = (
    "A check-in of the class session that is closed waits from the insertion of the "
    "absences to the commit: 35 ms with nothing else to do, about twice that with both "
    "cores at work. A quarter of it is the insertion, a third the event with all of "
    "them as JSON, a third the commit, which checks two foreign keys a record."
)


class Halls:
    """Two courses: the one that is closed, with a thousand who never come."""

    def __init__(self) -> None:
        self.large = school.make_school(UNMARKED + CHECK_INS // 2)
        self.other = school.make_school(CHECK_INS // 2)
        self.coming = self.large.students[: CHECK_INS // 2]
        self.large_headers = school.cookie_headers(self.coming)
        self.other_headers = school.cookie_headers(self.other.students)
        teachers = [self.large.teacher, self.other.teacher]
        self.large_teacher, self.other_teacher = school.bearer_headers(teachers)


@dataclasses.dataclass(frozen=True)
class Found:
    """
    Of one round, in milliseconds; `errors` and `lost` are numbers.

    `p99` and `slowest` are of all check-ins but those that came after the closing,
    `elsewhere` is the p99 of those to the other class session. `meanwhile` are those
    that were due while the closing was under way.
    """

    p99: float
    slowest: float
    elsewhere: float
    meanwhile: list[float]
    closing: float
    errors: int
    lost: int


def run(lab: Lab) -> Section:
    lab.fresh_database()
    halls = Halls()
    without, with_it = [], []
    with production(lab) as site:
        _round(site, halls, close=False)  # warms both processes
        for _ in range(lab.rounds):
            without.append(_round(site, halls, close=False))
            with_it.append(_round(site, halls, close=True))
    limit = Spread.of((f.p99 for f in without), "ms")
    ratio = ratios([f.p99 for f in with_it], [f.p99 for f in without])
    meanwhile = [milliseconds for f in with_it for milliseconds in f.meanwhile]
    p99_meanwhile = percentile(meanwhile, 99)
    ratio_meanwhile = p99_meanwhile / limit.median
    errors = Spread.of((f.errors for f in without + with_it), "")
    lost = Spread.of((f.lost for f in without + with_it), "")
    return Section(
        "Closing under load",
        [
            Row(
                f"p99 of {RATE:.0f} check-ins/s while {UNMARKED:,} unmarked are closed",
                Spread.of((f.p99 for f in with_it), "ms"),
                "≤ 3 × without the closing",
                ratio.median <= 3,
                against="without the closing",
                limit=limit,
                ratio=ratio,
                reason="" if ratio.median <= 3 else REASON,
            ),
            Row(
                "p99 of those alone that were due while the closing was under way",
                Spread.counted(p99_meanwhile, "ms"),
                "≤ 3 × without the closing",
                ratio_meanwhile <= 3,
                against="without the closing, the median p99",
                limit=Spread.counted(limit.median, "ms"),
                ratio=Spread.counted(ratio_meanwhile, "×"),
                reason="" if ratio_meanwhile <= 3 else REASON,
            ),
            Row(
                "the slowest of them all",
                Spread.of((f.slowest for f in with_it), "ms"),
                "for information",
                True,
                against="without the closing",
                limit=Spread.of((f.slowest for f in without), "ms"),
            ),
            Row(
                "p99 of those to the other class session",
                Spread.of((f.elsewhere for f in with_it), "ms"),
                "for information",
                True,
                against="without the closing",
                limit=Spread.of((f.elsewhere for f in without), "ms"),
                ratio=ratios(
                    [f.elsewhere for f in with_it], [f.elsewhere for f in without]
                ),
            ),
            Row("errors meanwhile", errors, "0", errors.high == 0),
            Row("changes lost", lost, "0", lost.high == 0),
            Row(
                "the closing itself, meanwhile",
                Spread.of((f.closing for f in with_it), "ms"),
                "for information",
                True,
            ),
        ],
        [
            "Half of the check-ins go to the class session that is closed: until it is "
            "decided whether they came before, they wait. After the closing 409 is "
            "their right answer, no error, and not in the times. Due while the closing "
            f"was under way were {len(meanwhile)} in all rounds together: too few for "
            "a p99 of each, and no more than a percent or two of all, so that the "
            "first row sees little of them. Lost is whoever was "
            "answered 201 and is not present, whoever else is not absent after the "
            "closing, and every revision that is missing in the event table or on a "
            "screen, in either class session."
        ],
    )


def _round(site: Site, halls: Halls, *, close: bool) -> Found:
    large = school.new_class_session(halls.large.course, halls.large.teacher)
    other = school.new_class_session(halls.other.course, halls.other.teacher)
    pairs = zip(
        school.qr_check_ins(large, halls.large_headers),
        school.qr_check_ins(other, halls.other_headers),
        strict=True,
    )
    requests = [request for pair in pairs for request in pair]
    closing = http_request(
        "POST", f"/api/v1/class-sessions/{large.pk}/close/", halls.large_teacher
    )
    # Everything is started beforehand: a process that starts takes a core for itself.
    with (
        _watched(site, large, halls.large_teacher) as large_screen,
        _watched(site, other, halls.other_teacher) as other_screen,
    ):
        closer = start_load(
            site.web.port,
            [closing] if close else [],
            clients=1,
            arrivals=[CLOSE_AFTER_SECONDS],
        )
        running = start_load(site.web.port, requests, clients=CLIENTS, rate=RATE)
        answers = running.result()
        closed = closer.result()
        time.sleep(PATIENCE_SECONDS)
    closing_at = closed[0].sent if closed else None
    # Who comes later is refused at once: that is quick, but no check-in.
    timely = [a for a in answers if a.status != 409 or a.due <= closed[0].done]
    return Found(
        _p99(timely),
        max(answer.seconds for answer in timely) * 1000,
        _p99(answers[1::2]),
        [
            answer.seconds * 1000
            for answer in answers
            if closed and closed[0].sent <= answer.due <= closed[0].done
        ],
        closed[0].seconds * 1000 if closed else 0.0,
        _errors(answers, closing_at) + sum(a.status != 200 for a in closed),
        _lost_marks(large, halls.large, answers[::2], closed=close)
        + _lost_marks(other, halls.other, answers[1::2], closed=False)
        + _lost_revisions(large, large_screen)
        + _lost_revisions(other, other_screen),
    )


def _watched(
    site: Site, class_session: ClassSession, headers: dict[str, str]
) -> AbstractContextManager[Screens]:
    return watch(site.live.port, f"/ws/class-sessions/{class_session.pk}/", [headers])


def _p99(answers: Sequence[Answer]) -> float:
    """In milliseconds."""
    return percentile([answer.seconds for answer in answers], 99) * 1000


def _errors(answers: Sequence[Answer], closing_at: float | None) -> int:
    """All but 201, and 409 in the closed class session once the closing was sent."""
    right = [
        answer.status == 201
        or (
            answer.status == 409
            and number % 2 == 0
            and closing_at is not None
            and answer.done > closing_at
        )
        for number, answer in enumerate(answers)
    ]
    return right.count(False)


def _lost_marks(
    class_session: ClassSession,
    made: school.School,
    answers: Sequence[Answer],
    *,
    closed: bool,
) -> int:
    """
    Of how many students the database says something else than the answers.

    The answers are those of the first students; who else there is never came.
    """
    checked_in = {
        student.pk
        for student, answer in zip(made.students, answers, strict=False)
        if answer.status == 201
    }
    records = AttendanceRecord.objects.filter(class_session=class_session)
    status = dict(records.values_list("student_id", "status"))
    absent = {pk for pk, found in status.items() if found == Status.ABSENT}
    not_come = {s.pk for s in made.students} - checked_in
    expected = not_come if closed else set()
    return len((set(status) - absent) ^ checked_in) + len(absent ^ expected)


def _lost_revisions(class_session: ClassSession, screens: Screens) -> int:
    """How many revisions are missing in the event table, or on the screen."""
    class_session.refresh_from_db()
    expected = set(range(1, class_session.revision + 1))
    events = AttendanceEvent.objects.filter(class_session=class_session)
    written = set(events.values_list("revision", flat=True))
    return len(expected - written) + len(expected - _shown(screens))


def _shown(screens: Screens) -> set[int]:
    """The revisions whose messages came, or that a snapshot has in it."""
    shown: set[int] = set()
    for frame in screens.frames:
        if frame.revision is None or frame.type == "heartbeat":
            continue
        is_snapshot = frame.type == "snapshot"
        shown.update(range(1 if is_snapshot else frame.revision, frame.revision + 1))
    return shown
