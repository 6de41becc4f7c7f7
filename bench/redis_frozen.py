"""Check-ins go on undisturbed while Redis hangs."""

from __future__ import annotations

import time

from bench import school
from bench.figures import Row, Section, Spread, percentile, ratios
from bench.lab import Lab
from bench.sites import Site, production
from bench.trials import Hall, Headers, attended, check_in_all, make_hall
from bench.trials import milliseconds as milliseconds_of

# Well below what the machine can do, so that nothing waits but for Redis.
NUMBER, PER_SECOND = 400, 100.0
# Until the publications of a frozen half have gone; each waits for its own time-out.
DRAIN_SECONDS = 60.0


def run(lab: Lab) -> Section:
    lab.fresh_database()
    hall = make_hall(NUMBER)
    headers = school.cookie_headers(hall.school.students)
    up: list[float] = []
    frozen: list[float] = []
    with production(lab) as site:
        for number in range(lab.rounds):
            _round(lab, site, hall, headers, up, frozen, frozen_first=number % 2 == 1)
    ratio = ratios(frozen, up)
    return Section(
        "Check-ins while Redis hangs",
        [
            Row(
                f"check-in with Redis frozen, {PER_SECOND:.0f}/s, p99",
                Spread.of(frozen, "ms"),
                "≤ 1.2 × with Redis up",
                ratio.median <= 1.2,
                against="with Redis up, p99",
                limit=Spread.of(up, "ms"),
                ratio=ratio,
            )
        ],
        [
            "Frozen: the process is stopped, connections stay open and are accepted, "
            f"nothing is answered. Each time {NUMBER} check-ins by session cookie, "
            "after as many to warm up and with nothing left in the publishers' queues; "
            "every other round begins with the frozen half."
        ],
    )


def _round(
    lab: Lab,
    site: Site,
    hall: Hall,
    headers: Headers,
    up: list[float],
    frozen: list[float],
    *,
    frozen_first: bool,
) -> None:
    for is_frozen in (frozen_first, not frozen_first):
        # Made while Redis is up: their opening is published from here.
        warm_up, class_session = hall.new_class_session(), hall.new_class_session()
        with attended(site, hall, warm_up):
            check_in_all(site, [warm_up], headers)
        _drain(site)
        if is_frozen:
            lab.redis.freeze()
        try:
            answers = check_in_all(site, [class_session], headers, rate=PER_SECOND)
        finally:
            lab.redis.thaw()
        _drain(site)
        into = frozen if is_frozen else up
        into.append(percentile(milliseconds_of(answers), 99))


def _drain(site: Site) -> None:
    """Wait until nothing is left to publish. RuntimeError if that takes too long."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while site.metric("attendance_publish_queue"):
        if time.monotonic() > deadline:
            raise RuntimeError("the publishers' queues do not get empty")
        time.sleep(0.1)
