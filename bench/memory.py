"""What the production arrangement holds of the machine's memory, warm."""

from __future__ import annotations

from bench import school
from bench.figures import Figures, Row, Section, Spread
from bench.footprint import resident_bytes
from bench.lab import Lab
from bench.load import http_request, load
from bench.sites import Site, family, production
from bench.trials import SCREENS, Hall, attended, check_in_all, make_hall
from bench.watching import watch

STUDENTS = 500
# So often each page, two at a time: so that both workers had it.
ASKED, CLIENTS = 16, 2
ALL = "all"


def run(lab: Lab) -> Section:
    lab.fresh_database()
    hall = make_hall(STUDENTS)
    headers = school.cookie_headers(hall.school.students)
    sizes = Figures()
    for _ in range(lab.rounds):
        class_session = hall.new_class_session()
        with production(lab) as site:
            with attended(site, hall, class_session):
                check_in_all(site, [class_session], headers)
            # Opened anew, the screens get a snapshot in which everyone has a record.
            path = f"/ws/class-sessions/{class_session.pk}/"
            with watch(site.live.port, path, hall.screens):
                _read(site, hall, class_session.pk)
                families = {p.name: family(p) for p in site.processes}
                for name, pids in families.items():
                    sizes[name].append(resident_bytes(pids) / 1e6)
                everyone = [pid for pids in families.values() for pid in pids]
                sizes[ALL].append(resident_bytes(everyone) / 1e6)
    total = Spread.of(sizes.pop(ALL), "MB")
    listed = "; ".join(f"`{n}`: {Spread.of(s, 'MB')}" for n, s in sizes.items())
    return Section(
        "Memory",
        [
            Row(
                "resident memory, production arrangement, warm",
                total,
                "≤ 260 MB",
                total.median <= 260,
            )
        ],
        [
            f"After {STUDENTS} check-ins, {ASKED} views of the live page and as many "
            f"of the roster, with {SCREENS} screens attached, each past a snapshot. "
            "What the processes of the site share counts once: pages of a fork by the "
            "kernel's proportional set, files that they map whole, as if nobody else "
            f"had them mapped. By itself, so with those files in both: {listed}."
        ],
    )


def _read(site: Site, hall: Hall, class_session_id: int) -> None:
    (cookie,) = school.cookie_headers([hall.school.teacher])
    for path in (
        f"/class-sessions/{class_session_id}/",
        f"/api/v1/class-sessions/{class_session_id}/roster/",
    ):
        requests = [http_request("GET", path, cookie)] * ASKED
        answers = load(site.web.port, requests, clients=CLIENTS)
        if any(answer.status != 200 for answer in answers):
            raise RuntimeError(f"{path} was not answered 200")
