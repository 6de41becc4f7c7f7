"""A hall of screens on one daphne: the last one's wait, and what a socket costs."""

from __future__ import annotations

import time

from bench import school
from bench.commits import marked, timed
from bench.figures import Row, Section, Spread
from bench.footprint import resident_bytes
from bench.lab import Lab
from bench.load import load
from bench.sites import family, production
from bench.watching import allow_sockets, watch

FEW, MANY = 50, 1000
STUDENTS = 300
# So that all threads of the web processes have said something before.
WARM_UP = 16
MESSAGES = 10
# A second apart: each is to find the hall at rest.
MESSAGES_PER_SECOND = 1.0
# After the first frames, until buffers have drained and threads are idle.
SETTLE_SECONDS = 2.0


def run(lab: Lab) -> Section:
    lab.fresh_database()
    allow_sockets(FEW + MANY + 500)
    made = school.make_school(STUDENTS)
    # A log-in a screen, as with a thousand browsers.
    screens = school.bearer_headers([made.teacher] * (FEW + MANY))
    students = made.students[: WARM_UP + MESSAGES]
    headers = marked(school.bearer_headers(students), students)
    lasts, sizes = [], []
    for _ in range(lab.rounds):
        last, size = _round(lab, made, headers, screens)
        lasts.append(last)
        sizes.append(size)
    last_one, memory = Spread.of(lasts, "ms"), Spread.of(sizes, "kB")
    return Section(
        "A thousand screens of one class session on one daphne",
        [
            Row(
                f"one message to {MANY:,} screens, the last one",
                last_one,
                "≤ 250 ms",
                last_one.median <= 250,
            ),
            Row("a socket's memory", memory, "≤ 40 kB", memory.median <= 40),
        ],
        [
            f"The last one: the worst of {MESSAGES} check-ins, from commit. Memory: "
            f"what the daphne's resident set grows by from {FEW} to "
            f"{FEW + MANY:,} idle sockets, each with a log-in of its own, past its "
            f"snapshot of {STUDENTS} rows; the kernel's buffers are not in it."
        ],
    )


def _round(
    lab: Lab,
    made: school.School,
    headers: list[dict[str, str]],
    screens: list[dict[str, str]],
) -> tuple[float, float]:
    """The last screen's milliseconds, at worst, and a socket's kB."""
    class_session = school.new_class_session(made.course, made.teacher)
    path = f"/ws/class-sessions/{class_session.pk}/"
    requests = school.qr_check_ins(class_session, headers)
    with (
        timed("attendance_site.settings") as (commits, environment),
        production(lab, **environment) as site,
        watch(site.live.port, path, screens[:FEW]),
    ):
        time.sleep(SETTLE_SECONDS)
        before = resident_bytes(family(site.live))
        with watch(site.live.port, path, screens[FEW:]) as hall:
            time.sleep(SETTLE_SECONDS)
            grown = resident_bytes(family(site.live)) - before
            load(site.web.port, requests[:WARM_UP], clients=WARM_UP)
            time.sleep(SETTLE_SECONDS)
            load(
                site.web.port,
                requests[WARM_UP:],
                clients=1,
                rate=MESSAGES_PER_SECOND,
            )
            time.sleep(SETTLE_SECONDS)
        committed = commits.read()
    lasts: dict[int, float] = {}
    heard: dict[int, int] = {}
    for frame in hall.frames:
        if frame.student_id is not None:
            lasts[frame.student_id] = frame.at - committed[frame.student_id]
            heard[frame.student_id] = heard.get(frame.student_id, 0) + 1
    measured = [student.pk for student in made.students[WARM_UP : WARM_UP + MESSAGES]]
    if any(heard.get(student_id) != MANY for student_id in measured):
        raise RuntimeError("a message did not reach every screen")
    last = max(lasts[student_id] for student_id in measured)
    return last * 1000, grown / MANY / 1000
