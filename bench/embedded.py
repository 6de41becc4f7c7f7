"""One process on SQLite, as `run.py serve` has it."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from bench import recorded, school
from bench.figures import Figures, Row, Section, Spread, percentile, ratios
from bench.lab import Lab
from bench.load import Answer, load
from bench.sites import Site, embedded, stock
from bench.sqlite import by_hand, migrate
from bench.trials import (
    CLIENTS,
    WARM_UP,
    Hall,
    Headers,
    attended,
    check_in_here,
    make_hall,
    milliseconds,
    per_second,
    require_check_ins,
)
from tests.databases import using_sqlite

# One screen: the teacher's.
SCREENS = 1
BURST, BURST_PER_SECOND = 300, 300.0
OURS_NUMBER, STOCK_NUMBER = 600, 200


@dataclasses.dataclass(frozen=True)
class Place:
    """
    A database file, and who is in it.

    One for each arrangement: the write-ahead log is a property of the file.
    """

    file: Path
    environment: dict[str, str]
    hall: Hall
    headers: Headers


def run(lab: Lab) -> Section:
    with tempfile.TemporaryDirectory(prefix="attendance-bench-") as folder:
        ours = _make_place(Path(folder) / "ours.sqlite3", "attendance_site.settings")
        theirs = _make_place(Path(folder) / "stock.sqlite3", "bench.stock.settings")
        with using_sqlite(ours.file):
            recording = _record(ours)
        found = Figures()
        with (
            embedded(lab, **ours.environment) as site,
            stock(lab, **theirs.environment) as rival,
        ):
            for _ in range(lab.rounds):
                _round(site, ours, rival, theirs, recording, found)
    return Section("One process on SQLite", _rows(found), [_note(found)])


def _make_place(file: Path, settings: str) -> Place:
    environment = {
        "ATTENDANCE_DEMO": "1",
        "ATTENDANCE_VAR_DIR": str(file.parent),
        "DATABASE_URL": f"sqlite:///{file}",
        "DJANGO_SETTINGS_MODULE": settings,
        "REDIS_URL": "",
    }
    migrate(environment)
    with using_sqlite(file):
        recorded.spread_ids()
        hall = make_hall(WARM_UP + OURS_NUMBER, SCREENS)
        headers = school.cookie_headers(hall.school.students)
    return Place(file, environment, hall, headers)


def _record(place: Place) -> recorded.Recording:
    class_session = place.hall.new_class_session()
    recorded.spread_revisions(class_session)
    check_in_here(class_session, place.headers[0])  # so that everything is imported
    student = place.hall.school.students[1]
    return recorded.record(
        lambda: check_in_here(class_session, place.headers[1]),
        {str(student.pk): "student", str(class_session.pk): "session"},
    )


def _round(
    site: Site,
    ours: Place,
    rival: Site,
    theirs: Place,
    recording: recorded.Recording,
    found: Figures,
) -> None:
    with using_sqlite(ours.file):
        answers = _answers(site, ours, BURST, rate=BURST_PER_SECOND)
        found["errors"].append(_errors(answers))
        found["p99"].append(percentile(milliseconds(answers), 99))
        answers = _answers(site, ours, OURS_NUMBER)
        if _errors(answers):
            raise RuntimeError(f"{_errors(answers)} check-ins were refused")
        found["ours"].append(per_second(answers))
        found["limit"].append(_by_hand(ours, recording))
    with using_sqlite(theirs.file):
        answers = _answers(rival, theirs, STOCK_NUMBER)
    found["stock"].append(per_second(answers))
    found["refused"].append(_errors(answers))


def _answers(
    site: Site, place: Place, number: int, *, rate: float | None = None
) -> list[Answer]:
    """So many answers of whatever status; those of the warm-up come on top."""
    class_session = place.hall.new_class_session()
    headers = place.headers[: WARM_UP + number]
    requests = school.qr_check_ins(class_session, headers)
    with attended(site, place.hall, class_session):
        # One after the other, which no arrangement refuses.
        load(site.web.port, requests[:WARM_UP], clients=1)
        return load(site.web.port, requests[WARM_UP:], clients=CLIENTS, rate=rate)


def _errors(answers: list[Answer]) -> int:
    return sum(answer.status != 201 for answer in answers)


def _by_hand(place: Place, recording: recorded.Recording) -> float:
    class_session = place.hall.new_class_session()
    students = [student.pk for student in place.hall.school.students[:OURS_NUMBER]]
    seconds = by_hand(place.file, recording, students, class_session.pk)
    require_check_ins([class_session], len(students))
    return len(students) / seconds


def _rows(found: Figures) -> list[Row]:
    errors, p99 = Spread.of(found["errors"], "errors"), Spread.of(found["p99"], "ms")
    ours = Spread.of(found["ours"], "/s")
    of_limit = ratios(found["ours"], found["limit"])
    of_rival = ratios(found["ours"], found["stock"])
    burst = f"{BURST} check-ins in one second"
    what = f"check-ins, {CLIENTS} clients"
    return [
        Row(f"{burst}, errors", errors, "0", errors.high == 0),
        Row(f"{burst}, p99", p99, "≤ 300 ms", p99.median <= 300),
        Row(
            what,
            ours,
            "≥ 4 × stock",
            of_rival.median >= 4,
            against="stock on SQLite",
            limit=Spread.of(found["stock"], "/s"),
            ratio=of_rival,
        ),
        Row(
            what,
            ours,
            "side by side",
            True,
            against="SQLite by hand, the same statements, one thread",
            limit=Spread.of(found["limit"], "/s"),
            ratio=of_limit,
        ),
    ]


def _note(found: Figures) -> str:
    refused = Spread.of(found["refused"], "")
    return (
        "Session cookie and CSRF, one screen. Stock has Django's defaults for SQLite "
        "(no write-ahead log, no IMMEDIATE) and the in-memory layer; it answered "
        f"{refused} of {STOCK_NUMBER} check-ins with an error, and only those that "
        "were answered 201 count."
    )
