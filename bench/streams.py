"""From a check-in's commit to the screens: alone, and in bursts."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from bench import school
from bench.bell import ring
from bench.commits import Commits, marked, timed
from bench.figures import Row, Section, Spread, percentile, ratios
from bench.lab import Lab
from bench.load import load, start_load
from bench.sites import Site, production, stock
from bench.trials import CLIENTS, SCREENS, WARM_UP, Hall, Headers, make_hall
from bench.watching import watch

STEADY = (200, 40.0)
# How many, and how many a second.
BURSTS = ((200, 200.0), (300, 300.0))
# Raw Redis during a burst: enough for a p99, too few to be felt.
BELL_BESIDE = (100, 100.0)
# Less than a heartbeat's interval: what has not come by then was lost on the way,
# though a stream that heals itself would still bring it.
PATIENCE_SECONDS = 2.0
# What grows when a message is lost between commit and stream.
HEALING = ("attendance_stream_catch_ups_total", "attendance_publications_total")


@dataclasses.dataclass(frozen=True)
class Arrangement:
    """A site under measurement; `serve` takes more environment."""

    name: str
    settings: str
    serve: Callable[..., AbstractContextManager[Site]]


OURS = Arrangement("production", "attendance_site.settings", production)
RIVAL = Arrangement("stock", "bench.stock.settings", stock)


@dataclasses.dataclass(frozen=True)
class Found:
    """
    Of one round: milliseconds of every frame that came, and how many did not.

    `refused`: check-ins that were not answered 201; nobody waits for their frames.
    `healed`: how often a message did not come through the channel layer, and a stream
    had to read it from the event table, or nobody would have.
    """

    milliseconds: list[float]
    lost: int
    refused: int
    healed: float


class Trial:
    """One arrangement that serves, with the log of its commits."""

    def __init__(self, site: Site, commits: Commits) -> None:
        self._site = site
        self._commits = commits

    def run(
        self,
        hall: Hall,
        headers: Headers,
        number: int,
        rate: float,
        beside: Callable[[], None] = lambda: None,
    ) -> Found:
        """
        `number` students check in to a new class session, five screens watch.

        `beside` is called while they do.
        """
        class_session = hall.new_class_session()
        port = self._site.web.port
        requests = school.qr_check_ins(class_session, headers)
        warm_up, measured = requests[:WARM_UP], requests[WARM_UP : WARM_UP + number]
        ids = [student.pk for student in hall.school.students]
        path = f"/ws/class-sessions/{class_session.pk}/"
        with watch(self._site.live.port, path, hall.screens) as screens:
            load(port, warm_up, clients=CLIENTS)
            time.sleep(0.5)
            self._commits.clear()
            healed = self._healed()
            running = start_load(port, measured, clients=CLIENTS, rate=rate)
            beside()
            answers = running.result()
            time.sleep(PATIENCE_SECONDS)
            healed = self._healed() - healed
        committed = self._commits.read()
        asked = ids[WARM_UP : WARM_UP + number]
        awaited = {
            student_id
            for student_id, answer in zip(asked, answers, strict=True)
            if answer.status == 201
        }
        took: dict[tuple[int, int], float] = {}
        for frame in screens.frames:
            if frame.student_id in awaited:
                seconds = frame.at - committed[frame.student_id]
                took.setdefault((frame.screen, frame.student_id), seconds * 1000)
        lost = SCREENS * len(awaited) - len(took)
        return Found(list(took.values()), lost, number - len(awaited), healed)

    def _healed(self) -> float:
        catch_ups, publications = HEALING
        return sum(
            self._site.metric(catch_ups, cause=cause) for cause in ("hole", "heartbeat")
        ) + sum(
            self._site.metric(publications, outcome=outcome)
            for outcome in ("failed", "dropped")
        )


def run(lab: Lab) -> Section:
    lab.fresh_database()
    hall = make_hall(WARM_UP + max(number for number, _ in BURSTS))
    students = hall.school.students
    headers = marked(school.cookie_headers(students), students)
    found: dict[tuple[str, float], list[Found]] = collections.defaultdict(list)
    bell: list[float] = []
    busy_bell: list[float] = []
    with contextlib.ExitStack() as stack:
        trials = {
            arrangement.name: stack.enter_context(_serve(lab, arrangement))
            for arrangement in (OURS, RIVAL)
        }
        for _ in range(lab.rounds):
            bell.append(_bell(lab, *STEADY))
            for number, rate in (STEADY, *BURSTS):
                for name, trial in trials.items():
                    found[name, rate].append(trial.run(hall, headers, number, rate))
            trials[OURS.name].run(
                hall,
                headers,
                *BURSTS[-1],
                beside=lambda: busy_bell.append(_bell(lab, *BELL_BESIDE)),
            )
    return Section(
        "From commit to screen",
        [
            _steady_row(found[OURS.name, STEADY[1]], bell),
            *(
                row
                for number, rate in BURSTS
                for row in _burst_rows(number, found[OURS.name, rate], busy_bell)
            ),
            *(
                row
                for number, rate in (STEADY, *BURSTS)
                for row in _rival_rows(
                    number, rate, found[RIVAL.name, rate], found[OURS.name, rate]
                )
            ),
        ],
        [
            "Begins when COMMIT has returned to the web process, before anything that "
            "is left for after it (a middleware that only the bench uses writes the "
            "moment down), and ends when a screen has received the frame. Screens and "
            "load are processes of their own. Raw Redis is redis-py in two processes. "
            f"A frame is lost that has not come {PATIENCE_SECONDS:.0f} s after the "
            "last answer; ours would come with the next heartbeat. Healed on the way, "
            "by the metrics of both processes: how often a stream read the event table "
            "for what the channel layer had not brought it (a hole, a heartbeat ahead) "
            "and publications that failed or were dropped; their frames came late."
        ],
    )


@contextlib.contextmanager
def _serve(lab: Lab, arrangement: Arrangement) -> Iterator[Trial]:
    with timed(arrangement.settings) as (commits, environment):
        with arrangement.serve(lab, **environment) as site:
            yield Trial(site, commits)


def _p99(found: list[Found]) -> Spread:
    return Spread.of((percentile(f.milliseconds, 99) for f in found), "ms")


def _steady_row(found: list[Found], bell: list[float]) -> Row:
    figures = [percentile(f.milliseconds, 99) for f in found]
    ratio = ratios(figures, bell)
    return Row(
        f"commit → screen, {STEADY[1]:.0f} check-ins/s, {SCREENS} screens, p99",
        Spread.of(figures, "ms"),
        "≤ 10 × raw Redis",
        ratio.median <= 10,
        against="raw Redis publish → subscriber, p99",
        limit=Spread.of(bell, "ms"),
        ratio=ratio,
    )


def _bell(lab: Lab, number: int, rate: float) -> float:
    """p99 of raw Redis, in milliseconds."""
    return percentile(ring(lab.redis.url, number, rate), 99) * 1000


def _burst_rows(number: int, found: list[Found], busy_bell: list[float]) -> list[Row]:
    p99 = _p99(found)
    missing = Spread.of((f.lost + f.refused * SCREENS for f in found), "frames")
    healed = Spread.of((f.healed for f in found), "messages")
    what = f"commit → screen, {number} in one second, {SCREENS} screens"
    return [
        Row(
            f"{what}, p99",
            p99,
            "≤ 15 ms",
            p99.median <= 15,
            reason=""
            if p99.median <= 15
            else "The check-ins keep both cores busy, and each of the four processes "
            "on the way waits for its turn. Raw Redis, with two processes on the way, "
            f"takes a p99 of {Spread.of(busy_bell, 'ms')} during such a burst.",
        ),
        Row(f"{what}, lost", missing, f"0 of {SCREENS * number}", missing.high == 0),
        Row(f"{what}, healed on the way", healed, "for information", True),
    ]


def _rival_rows(
    number: int, rate: float, theirs: list[Found], ours: list[Found]
) -> list[Row]:
    what = f"{RIVAL.name}: commit → screen, {number} at {rate:.0f} a second"
    lost = Spread.of((f.lost for f in theirs), "frames")
    refused = Spread.of((f.refused for f in theirs), "check-ins")
    return [
        Row(
            f"{what}, p99",
            _p99(theirs),
            "side by side",
            True,
            against=OURS.name,
            limit=_p99(ours),
            ratio=ratios(
                [percentile(f.milliseconds, 99) for f in theirs],
                [percentile(f.milliseconds, 99) for f in ours],
            ),
        ),
        Row(f"{what}, lost", lost, "side by side", True),
        Row(f"{what}, refused", refused, "side by side", True),
    ]
