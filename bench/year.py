"""
A year of a university, and its 9 a.m. peak in miniature.

The model is arithmetic over the assumptions below. What this machine can do of it is
measured: check-ins arrive as they do around the full hour, at the full rate, but each
minute lasts MINUTE seconds, so that a peak fits into a benchmark.
"""

from __future__ import annotations

import dataclasses
from random import Random

from bench.figures import Row, Section, Spread, percentile
from bench.lab import Lab, say
from bench.load import Answer, http_request, load
from bench.school import School, cookie_headers, make_school, new_class_session
from bench.sites import production

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
# The page behind the QR code, the check-in itself, and the page with one's own records.
REQUESTS = 3

# The miniature ---------------------------------------------------------------------

MINUTE = 1.5
# Parts of the university that the machine is given, one after the other.
SHARES = (0.5, 1.0, 1.5, 2.0)
CLIENTS = 100
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


def run(lab: Lab) -> Section:
    lab.fresh_database()
    classes = [make_school(CLASS) for _ in range(_classes(max(SHARES)))]
    headers = [cookie_headers(school.students) for school in classes]
    found: dict[float, list[list[Answer]]] = {share: [] for share in SHARES}
    with production(lab) as site:
        for number in range(lab.rounds):
            for share in SHARES:
                random = Random(f"{number} {share}")
                some = list(zip(classes, headers, strict=True))[: _classes(share)]
                sent = _arrivals(some, random)
                answers = load(
                    site.web.port,
                    [request for _, request, _ in sent],
                    clients=CLIENTS,
                    arrivals=[due for due, _, _ in sent],
                )
                check_ins = [
                    answer
                    for answer, (_, _, is_check_in) in zip(answers, sent, strict=True)
                    if is_check_in
                ]
                wrong = [a.status for a in answers if a.status not in (200, 302)]
                if wrong:
                    say(
                        f"{len(wrong)} wrong answers at {share} × the peak: {wrong[:5]}"
                    )
                found[share].append([a for a in check_ins if a.status == 302])
    return Section("A year of a university", _rows(found), [_model()])


def _classes(share: float) -> int:
    """As many as make the peak's rate, with the shorter minute."""
    return round(Peak.of(share).check_ins * MINUTE / 60 / (CLASS * COMING))


def _arrivals(
    classes: list[tuple[School, list[dict[str, str]]]], random: Random
) -> list[tuple[float, bytes, bool]]:
    """When which request is due, and whether it is the check-in; in order."""
    from attendance.links import check_in_path

    sent = []
    for school, headers in classes:
        session = new_class_session(school.course, school.teacher)
        path = check_in_path(session)
        for header in headers:
            if random.random() > COMING:
                continue
            (minute,) = random.choices(range(len(ARRIVING)), ARRIVING)
            at = (minute + random.random()) * MINUTE
            sent += [
                (at, http_request("GET", path, header), False),
                (at + 0.3, http_request("POST", path, header), True),
                (at + 0.6, http_request("GET", "/me/", header), False),
            ]
    return sorted(sent, key=lambda item: item[0])


def _rows(found: dict[float, list[list[Answer]]]) -> list[Row]:
    rows = []
    for share, rounds in found.items():
        milliseconds = [[a.seconds * 1000 for a in answers] for answers in rounds]
        slow = Spread.of((percentile(times, 99) for times in milliseconds), "ms")
        rows.append(
            Row(
                what=f"check-ins at {share} × the university's peak "
                f"({Peak.of(share).rate:.0f}/s, {REQUESTS} requests each), p99",
                figure=slow,
                goal=f"≤ {GOAL_MS} ms at 1 ×",
                met=share > 1 or slow.median <= GOAL_MS,
                against="p50",
                limit=Spread.of((percentile(t, 50) for t in milliseconds), "ms"),
            )
        )
    return rows


def _model() -> str:
    peak = Peak.of(1)
    records = STUDENTS * CLASSES_A_DAY * DAYS
    return (
        f"{STUDENTS:,} students with {CLASSES_A_DAY} class sessions a day on {DAYS} "
        f"days a year: {records / 1e6:.1f} million records and about as many events. "
        f"{AT_NINE:.0%} have a class at nine and {COMING:.0%} of these come: "
        f"{peak.check_ins:,.0f} check-ins from {ARRIVING.index(max(ARRIVING))} minutes "
        f"before the full hour on, {peak.rate:.0f} a second in the fullest minute, "
        f"{peak.check_ins / CLASS / COMING:,.0f} class sessions open at once."
    )
