"""Check-ins a second, and one alone, beside pgbench and beside the stock rival."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from django.utils import timezone
from knox.crypto import hash_token
from knox.models import AuthToken

from attendance.models import User
from bench import pgbench, recorded, school
from bench.figures import Figures, Row, Section, Spread, percentile, ratios
from bench.lab import Lab
from bench.sites import Site, production, stock
from bench.trials import (
    CLIENTS,
    SCREENS,
    WARM_UP,
    Hall,
    Headers,
    attended,
    check_in_all,
    check_in_here,
    make_hall,
    milliseconds,
    per_second,
    require_check_ins,
)

OURS, STOCK_SITE, LIMIT, ALONE, LIMIT_ALONE = "ours", "stock", "limit", "alone", "one"
STUDENTS = 3000
# Check-ins of a round, so that each takes a few seconds.
OURS_NUMBER, STOCK_NUMBER, ALONE_NUMBER = 1000, 300, 200
# From the profile (py-spy, and processor time by process), for where it is missed.
_BESIDE_STOCK = (
    "Both cores are at work in either arrangement, so the ratio is that of the whole "
    "machine's processor time for a check-in, load generator and screens included: "
    "ours is between a quarter and a half of stock's. More than half of it goes to "
    "gunicorn's workers, about a quarter to PostgreSQL. Of a request's time there, "
    "three fifths pass in its statements: waiting for PostgreSQL, for the lock on the "
    "class session that all share, and for the interpreter's lock; the publisher's "
    "loop is a fifth of all samples. More threads do not help: two a worker did no "
    "worse than four."
)
# What the digest of a token is in the rows that pgbench looks up.
_DIGEST = "lpad(:student::text, 128, '0')"


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to be known: the students' headers, and its pgbench script."""

    name: str
    headers: Headers
    script: str
    statements: int


def run(lab: Lab) -> Section:
    lab.fresh_database()
    recorded.spread_ids()
    hall = make_hall(STUDENTS)
    ways = [_cookie_way(hall), _token_way(hall)]
    found = {way.name: Figures() for way in ways}
    with production(lab) as ours, stock(lab) as rival:
        for _ in range(lab.rounds):
            for way in ways:
                _round(lab, hall, way, ours, rival, found[way.name])
    cookie, token = (found[way.name] for way in ways)
    return Section(
        "Check-ins",
        [
            *_throughput("session cookie + CSRF", cookie, 0.12),
            *_throughput("API token", token, 0.2),
            _alone(cookie),
        ],
        [
            f"{CLIENTS} clients, history and publication on, {SCREENS} screens of the "
            "class session attached, all in one class session. pgbench sends the "
            f"statements that a real check-in sent ({ways[0].statements} with session "
            f"cookie, {ways[1].statements} with token, BEGIN and COMMIT among them), "
            "recorded anew at every run, each transaction another student's check-in, "
            f"with the protocol of the site's own connections ({pgbench.protocol()}); "
            "only the seals of its events are copies. "
            "Stock is `bench/stock`: one daphne, Django's ASGI handler, a connection "
            "per request (Django's default), `async_to_sync(group_send)` within the "
            "request, the core channel layer."
        ],
    )


def _cookie_way(hall: Hall) -> Way:
    headers = school.cookie_headers(hall.school.students)
    return _way("session cookie + CSRF", hall, headers, {})


def _token_way(hall: Hall) -> Way:
    students = hall.school.students
    headers = school.bearer_headers(students[: OURS_NUMBER + WARM_UP])
    now = timezone.now()
    AuthToken.objects.bulk_create(
        AuthToken(
            digest=f"{student.pk:0128}",
            token_key="bench",
            user=student,
            expiry=now + timedelta(days=1),
        )
        for student in students
    )
    _, _, token = headers[1]["Authorization"].partition(" ")
    return _way("API token", hall, headers, {hash_token(token): "digest"})


def _way(name: str, hall: Hall, headers: Headers, known: dict[str, str]) -> Way:
    class_session = hall.new_class_session()
    recorded.spread_revisions(class_session)
    check_in_here(class_session, headers[0])  # so that everything is imported
    student: User = hall.school.students[1]
    recording = recorded.record(
        lambda: check_in_here(class_session, headers[1]),
        {str(student.pk): "student", str(class_session.pk): "session", **known},
    )
    script = pgbench.script(recording, {"digest": _DIGEST})
    return Way(name, headers, script, len(recording.statements))


def _round(
    lab: Lab, hall: Hall, way: Way, ours: Site, rival: Site, found: Figures
) -> None:
    found[OURS].append(_rate(hall, way, ours, OURS_NUMBER))
    found[LIMIT].append(_by_hand(lab, hall, way, CLIENTS).per_second)
    found[STOCK_SITE].append(_rate(hall, way, rival, STOCK_NUMBER))
    class_session = hall.new_class_session()
    with attended(ours, hall, class_session):
        headers = way.headers[:ALONE_NUMBER]
        answers = check_in_all(ours, class_session, headers, clients=1)
    found[ALONE].append(percentile(milliseconds(answers), 50))
    found[LIMIT_ALONE].append(_by_hand(lab, hall, way, 1).median)


def _rate(hall: Hall, way: Way, site: Site, number: int) -> float:
    class_session = hall.new_class_session()
    warm_up, measured = way.headers[:WARM_UP], way.headers[WARM_UP : WARM_UP + number]
    with attended(site, hall, class_session):
        check_in_all(site, class_session, warm_up)
        return per_second(check_in_all(site, class_session, measured))


def _by_hand(lab: Lab, hall: Hall, way: Way, clients: int) -> pgbench.Found:
    class_session = hall.new_class_session()
    transactions = STUDENTS // clients if clients > 1 else ALONE_NUMBER
    found = pgbench.run(
        lab,
        way.script,
        clients=clients,
        transactions=transactions,
        first=hall.school.students[0].pk,
        class_session_id=class_session.pk,
    )
    require_check_ins(class_session, clients * transactions)
    return found


def _throughput(name: str, found: Figures, least: float) -> list[Row]:
    ours, limit, rival = (
        Spread.of(found[key], "/s") for key in (OURS, LIMIT, STOCK_SITE)
    )
    of_limit = ratios(found[OURS], found[LIMIT])
    of_rival = ratios(found[OURS], found[STOCK_SITE])
    what = f"check-ins, {name}"
    return [
        Row(
            what,
            ours,
            f"≥ {least} × pgbench",
            of_limit.median >= least,
            against=f"pgbench, the same statements, {CLIENTS} clients",
            limit=limit,
            ratio=of_limit,
        ),
        Row(
            what,
            ours,
            "≥ 5 × stock",
            of_rival.median >= 5,
            against="stock",
            limit=rival,
            ratio=of_rival,
            reason="" if of_rival.median >= 5 else _BESIDE_STOCK,
        ),
    ]


def _alone(found: Figures) -> Row:
    ratio = ratios(found[ALONE], found[LIMIT_ALONE])
    return Row(
        "check-in alone, one client, session cookie, p50",
        Spread.of(found[ALONE], "ms"),
        "≤ 6 × pgbench",
        ratio.median <= 6,
        against="pgbench, the same statements, one client, p50",
        limit=Spread.of(found[LIMIT_ALONE], "ms"),
        ratio=ratio,
    )
