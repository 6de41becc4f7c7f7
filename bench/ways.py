"""Check-ins by cookie and by token, at a site and by hand with pgbench."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone
from knox.crypto import hash_token
from knox.models import AuthToken

from attendance.models import ClassSession, User
from bench import pgbench, recorded, school
from bench.lab import Lab
from bench.sites import Site
from bench.trials import (
    WARM_UP,
    Hall,
    Headers,
    attended,
    check_in_all,
    check_in_here,
    per_second,
    require_check_ins,
)

# What the digest of a token is in the rows that pgbench looks up.
_DIGEST = "lpad(:student::text, 128, '0')"


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to be known: the students' headers, and its pgbench script."""

    hall: Hall
    headers: Headers
    script: str
    statements: int

    def rate(
        self, site: Site, class_sessions: Sequence[ClassSession], number: int
    ) -> float:
        """
        Check-ins a second at the site, of so many after the warm-up's.

        They go to one of the class sessions after the other; screens watch the first.
        """
        sent = self.headers[: WARM_UP + number]
        warm_up, measured = sent[:WARM_UP], sent[WARM_UP:]
        with attended(site, self.hall, class_sessions[0]):
            check_in_all(site, class_sessions, warm_up)
            return per_second(check_in_all(site, class_sessions, measured))

    def by_hand(
        self,
        lab: Lab,
        class_sessions: Sequence[ClassSession],
        *,
        clients: int,
        transactions: int,
    ) -> pgbench.Found:
        """The same statements by pgbench, so many `transactions` with each client."""
        ids = [class_session.pk for class_session in class_sessions]
        if ids != list(range(ids[0], ids[0] + len(ids))):
            raise RuntimeError("pgbench counts through the class sessions by id")
        found = pgbench.run(
            lab,
            self.script,
            clients=clients,
            transactions=transactions,
            first=self.hall.school.students[0].pk,
            first_class_session=ids[0],
            class_sessions=len(ids),
        )
        require_check_ins(class_sessions, clients * transactions)
        return found


def cookie_way(hall: Hall) -> Way:
    headers = school.cookie_headers(hall.school.students)
    return _way(hall, headers, {})


def token_way(hall: Hall, number: int) -> Way:
    """`number` is the most check-ins that a site will get at a time."""
    students = hall.school.students
    headers = school.bearer_headers(students[: number + WARM_UP])
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
    return _way(hall, headers, {hash_token(token): "digest"})


def _way(hall: Hall, headers: Headers, known: dict[str, str]) -> Way:
    class_session = hall.new_class_session()
    recorded.spread_revisions(class_session)
    check_in_here(class_session, headers[0])  # so that everything is imported
    student: User = hall.school.students[1]
    recording = recorded.record(
        lambda: check_in_here(class_session, headers[1]),
        {str(student.pk): "student", str(class_session.pk): "session", **known},
    )
    script = pgbench.script(recording, {"digest": _DIGEST})
    return Way(hall, headers, script, len(recording.statements))
