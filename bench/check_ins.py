"""Check-ins a second, and one alone, beside pgbench and beside the stock rival."""

from __future__ import annotations

from bench import pgbench, recorded
from bench.figures import Figures, Row, Section, Spread, percentile, ratios
from bench.lab import Lab
from bench.sites import Site, production, stock
from bench.trials import (
    CLIENTS,
    SCREENS,
    Hall,
    attended,
    check_in_all,
    make_hall,
    milliseconds,
)
from bench.ways import Way, cookie_way, token_way

OURS, STOCK_SITE, LIMIT, ALONE, LIMIT_ALONE = "ours", "stock", "limit", "alone", "one"
STUDENTS = 3000
# Check-ins of a round, so that each takes a few seconds.
OURS_NUMBER, STOCK_NUMBER = 1000, 300
# By hand: as many clients as the site has connections (two workers of three threads),
# and as many as it has clients: of more, a row that all of them update takes less.
BY_HAND_CLIENTS = (6, CLIENTS)
# Of one client, in turns with pgbench: so many times so many.
ALONE_PIECES, ALONE_NUMBER = 4, 50
# From the profile (py-spy, and processor time by process), for where it is missed.
_BESIDE_STOCK = (
    "Both cores are at work in either arrangement, so the ratio is that of the whole "
    "machine's processor time for a check-in, load generator and screens included: "
    "ours is between a quarter and a half of stock's. More than half of it goes to "
    "gunicorn's workers, about a quarter to PostgreSQL. Of a request's time there, "
    "three fifths pass in its statements: waiting for PostgreSQL, for the lock on the "
    "class session that all share, and for the interpreter's lock; the publisher's "
    "loop is a fifth of all samples."
)


def run(lab: Lab) -> Section:
    lab.fresh_database()
    recorded.spread_ids()
    hall = make_hall(STUDENTS)
    ways = [cookie_way(hall), token_way(hall, OURS_NUMBER)]
    cookie, token = found = [Figures(), Figures()]
    with production(lab) as ours, stock(lab) as rival:
        for _ in range(lab.rounds):
            for way, figures in zip(ways, found, strict=True):
                _round(lab, hall, way, ours, rival, figures)
            _alone_round(lab, hall, ways[0], ours, cookie)
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
            "only the seals of its events are copies. Of "
            f"{' and '.join(map(str, BY_HAND_CLIENTS))} clients it is the faster that "
            "counts. "
            "Stock is `bench/stock`: one daphne, Django's ASGI handler, a connection "
            "per request (Django's default), `async_to_sync(group_send)` within the "
            "request, the core channel layer. Alone: "
            f"{ALONE_PIECES} times {ALONE_NUMBER} check-ins of the site and as many "
            "transactions, in turns."
        ],
    )


def _round(
    lab: Lab, hall: Hall, way: Way, ours: Site, rival: Site, found: Figures
) -> None:
    found[OURS].append(way.rate(ours, [hall.new_class_session()], OURS_NUMBER))
    by_hand = [
        way.by_hand(
            lab,
            [hall.new_class_session()],
            clients=clients,
            transactions=STUDENTS // clients,
        )
        for clients in BY_HAND_CLIENTS
    ]
    found[LIMIT].append(max(found.per_second for found in by_hand))
    found[STOCK_SITE].append(way.rate(rival, [hall.new_class_session()], STOCK_NUMBER))


def _alone_round(lab: Lab, hall: Hall, way: Way, ours: Site, found: Figures) -> None:
    alone: list[float] = []
    limit: list[float] = []
    class_session = hall.new_class_session()
    with attended(ours, hall, class_session):
        for piece in range(ALONE_PIECES):
            headers = way.headers[piece * ALONE_NUMBER : (piece + 1) * ALONE_NUMBER]
            answers = check_in_all(ours, [class_session], headers, clients=1)
            alone += milliseconds(answers)
            by_hand = way.by_hand(
                lab, [hall.new_class_session()], clients=1, transactions=ALONE_NUMBER
            )
            limit += by_hand.milliseconds
    found[ALONE].append(percentile(alone, 50))
    found[LIMIT_ALONE].append(percentile(limit, 50))


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
            against="pgbench, the same statements",
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
