"""Closing a large class session while check-ins arrive, there and elsewhere."""

from __future__ import annotations

import collections
import time
from collections.abc import Sequence

from attendance.models import AttendanceEvent, AttendanceRecord, ClassSession, Status
from bench import school
from bench.figures import Row, Section, Spread, percentile, ratios
from bench.lab import Lab
from bench.load import Answer, http_request, load, start_load
from bench.sites import Site, production
from bench.watching import watch

UNMARKED = 1000
# Of the check-ins, every other one goes to the class session that is closed.
CHECK_INS, RATE = 400, 100.0
CLOSE_AFTER_SECONDS = 2.0
CLIENTS = 50
PATIENCE_SECONDS = 1.0


class Halls:
    """Two courses: the one that is closed, with a thousand who never come."""

    def __init__(self) -> None:
        self.large = school.make_school(UNMARKED + CHECK_INS // 2)
        self.other = school.make_school(CHECK_INS // 2)
        self.coming = self.large.students[: CHECK_INS // 2]
        self.large_headers = school.cookie_headers(self.coming)
        self.other_headers = school.cookie_headers(self.other.students)
        (self.teacher_headers,) = school.bearer_headers([self.large.teacher])


def run(lab: Lab) -> Section:
    lab.fresh_database()
    halls = Halls()
    without, with_it, closings = [], [], []
    with production(lab) as site:
        _round(site, halls, close=False)  # warms both processes
        for _ in range(lab.rounds):
            without.append(_round(site, halls, close=False)[0])
            p99, closing = _round(site, halls, close=True)
            with_it.append(p99)
            closings.append(closing)
    ratio = ratios(with_it, without)
    return Section(
        "Closing under load",
        [
            Row(
                f"p99 of {RATE:.0f} check-ins/s while {UNMARKED:,} unmarked are closed",
                Spread.of(with_it, "ms"),
                "≤ 3 × without the closing",
                ratio.median <= 3,
                against="without the closing",
                limit=Spread.of(without, "ms"),
                ratio=ratio,
            ),
            # Anything lost or answered wrongly has ended the run.
            Row("errors, and changes lost", Spread.of([0], ""), "0", True),
            Row(
                "the closing itself, meanwhile",
                Spread.of(closings, "ms"),
                "for information",
                True,
            ),
        ],
        [
            "Half of the check-ins go to the class session that is closed; after the "
            "closing 409 is their right answer. Checked after every round, else the "
            "run ends with an error: whoever was answered 201 is present and nobody "
            "else is, everybody else is absent, the revisions have no hole, and a "
            "screen got every one of them."
        ],
    )


def _round(site: Site, halls: Halls, *, close: bool) -> tuple[float, float]:
    """p99 of the check-ins and how long the closing took, both in milliseconds."""
    large = school.new_class_session(halls.large.course, halls.large.teacher)
    other = school.new_class_session(halls.other.course, halls.other.teacher)
    requests = [
        request
        for pair in zip(
            school.qr_check_ins(large, halls.large_headers),
            school.qr_check_ins(other, halls.other_headers),
            strict=True,
        )
        for request in pair
    ]
    closing = http_request(
        "POST", f"/api/v1/class-sessions/{large.pk}/close/", halls.teacher_headers
    )
    path = f"/ws/class-sessions/{large.pk}/"
    with watch(site.live.port, path, [halls.teacher_headers]) as screens:
        running = start_load(site.web.port, requests, clients=CLIENTS, rate=RATE)
        closed: list[Answer] = []
        if close:
            time.sleep(CLOSE_AFTER_SECONDS)
            closed = load(site.web.port, [closing], clients=1)
        answers = running.result()
        time.sleep(PATIENCE_SECONDS)
    assert all(answer.status == 200 for answer in closed), closed
    _check_answers(answers, closed[0].sent if close else None)
    _check_records(halls, large, answers[::2], closed=close)
    large.refresh_from_db()
    heard = [frame.revision for frame in screens.frames]
    expected = list(range(heard[0] or 0, large.revision + 1))
    # A heartbeat repeats the last one.
    assert sorted({revision for revision in heard if revision}) == expected
    took = closed[0].seconds * 1000 if close else 0.0
    return percentile([a.seconds for a in answers], 99) * 1000, took


def _check_answers(answers: Sequence[Answer], closing_at: float | None) -> None:
    """201 for all, or 409 in the closed class session once the closing was sent."""
    wrong = collections.Counter(
        answer.status
        for number, answer in enumerate(answers)
        if answer.status != 201
        and not (
            answer.status == 409
            and number % 2 == 0
            and closing_at is not None
            and answer.done > closing_at
        )
    )
    assert not wrong, dict(wrong)


def _check_records(
    halls: Halls, large: ClassSession, answers: Sequence[Answer], *, closed: bool
) -> None:
    """The database says what the answers said."""
    checked_in = {
        student.pk
        for student, answer in zip(halls.coming, answers, strict=True)
        if answer.status == 201
    }
    status = dict(
        AttendanceRecord.objects.filter(class_session=large).values_list(
            "student_id", "status"
        )
    )
    present = {pk for pk, found in status.items() if found != Status.ABSENT}
    assert present == checked_in
    absent = {s.pk for s in halls.large.students} - checked_in if closed else set()
    assert set(status) - present == absent
    revisions = AttendanceEvent.objects.filter(class_session=large)
    found = list(revisions.order_by("revision").values_list("revision", flat=True))
    assert found == list(range(1, len(found) + 1))
