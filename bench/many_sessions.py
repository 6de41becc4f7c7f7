"""Check-ins a second into many class sessions at once, beside pgbench."""

from __future__ import annotations

from attendance.models import ClassSession
from bench import pgbench, recorded
from bench.figures import Figures, Row, Section, Spread, ratios
from bench.lab import Lab
from bench.sites import production
from bench.trials import CLIENTS, SCREENS, Hall, make_hall
from bench.ways import cookie_way

CLASS_SESSIONS = 100
STUDENTS = 5000
# Check-ins of a round at the site; by hand it is everybody's.
NUMBER = 1000
MANY, LIMIT, ONE = "many", "limit", "one"


def run(lab: Lab) -> Section:
    lab.fresh_database()
    recorded.spread_ids()
    hall = make_hall(STUDENTS)
    way = cookie_way(hall)
    found = Figures()
    with production(lab) as site:
        for _ in range(lab.rounds):
            found[MANY].append(way.rate(site, _opened(hall, CLASS_SESSIONS), NUMBER))
            for name, number in ((LIMIT, CLASS_SESSIONS), (ONE, 1)):
                by_hand = way.by_hand(
                    lab,
                    _opened(hall, number),
                    clients=CLIENTS,
                    transactions=STUDENTS // CLIENTS,
                )
                found[name].append(by_hand.per_second)
    return Section("Check-ins into many class sessions", _rows(found), [_note()])


def _opened(hall: Hall, number: int) -> list[ClassSession]:
    return [hall.new_class_session() for _ in range(number)]


def _rows(found: Figures) -> list[Row]:
    limit = Spread.of(found[LIMIT], "/s")
    return [
        Row(
            f"check-ins into {CLASS_SESSIONS} class sessions, session cookie + CSRF",
            Spread.of(found[MANY], "/s"),
            "side by side",
            True,
            against=f"pgbench, the same statements, {CLIENTS} clients",
            limit=limit,
            ratio=ratios(found[MANY], found[LIMIT]),
        ),
        Row(
            f"pgbench into {CLASS_SESSIONS} class sessions",
            limit,
            "side by side",
            True,
            against="pgbench into one",
            limit=Spread.of(found[ONE], "/s"),
            ratio=ratios(found[LIMIT], found[ONE]),
        ),
    ]


def _note() -> str:
    return (
        f"As *Check-ins*, but each goes to the next of {CLASS_SESSIONS} class "
        f"sessions, at the site and by hand ({pgbench.protocol()}): what waits for a "
        f"lock on one class session no longer does. {SCREENS} screens of the first of "
        "them are attached."
    )
