"""A burst: many students check in over HTTP, each until there is an answer."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from attendance.models import AttendanceRecord, User
from tests.faults.school import School
from tests.faults.truth import changed_records
from tests.live import Frame, post
from tests.servers import SiteServer

RETRY_SECONDS = 0.2
THREADS_PER_SITE = 2
# A guard against hanging, for a loaded machine.
PATIENCE_SECONDS = 40.0


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What one request of one student came to; status 0: the connection broke."""

    student_id: int
    status: int
    said: str

    @property
    def final(self) -> bool:
        return 0 < self.status < 500


class Burst:
    """
    Check-ins of `students`, about `rate` a second, spread over `sites`.

    Used as a context manager: entering starts it, leaving waits for its end. Who
    meets a broken connection or a 5xx tries again at the same process.
    """

    def __init__(
        self,
        school: School,
        sites: Sequence[SiteServer],
        *,
        students: Sequence[User] | None = None,
        rate: float = 30,
    ) -> None:
        self.answers: list[Answer] = []
        self.students = school.students if students is None else students
        self._body = {"verification_code": school.class_session.verification_code}
        self._pause = THREADS_PER_SITE * len(sites) / rate
        self._answered = threading.Condition()
        self._over = threading.Event()
        self._threads = []
        for number, site in enumerate(sites):
            waiting: SimpleQueue[tuple[int, str]] = SimpleQueue()
            for student in self.students[number :: len(sites)]:
                waiting.put((student.pk, school.token(student)))
            # Threads of its own: a process that is away does not stop the others.
            self._threads += [
                threading.Thread(target=self._run, args=(site, waiting), name="burst")
                for _ in range(THREADS_PER_SITE)
            ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, number: int) -> None:
        """Wait until so many students have their answer."""
        self._wait(lambda: len(self.final()) >= number, f"{number} are answered")

    def wait_for_error(self) -> None:
        """Wait until somebody meets the fault."""
        self._wait(lambda: bool(self.errors()), "somebody meets the fault")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        with self._answered:
            met = self._answered.wait_for(condition, PATIENCE_SECONDS)
        assert met, f"after {PATIENCE_SECONDS:g} s still not: {what}"

    def final(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.final]

    def errors(self) -> list[Answer]:
        """The broken connections and the 5xx."""
        return [answer for answer in self.answers if not answer.final]

    def require_kept(self, class_session_id: int, messages: list[Frame]) -> None:
        """
        Assert that every student was checked in, just once, and is in the database.

        A retry may be told 200: the answer to the first try was lost on the way.
        """
        refused = [a for a in self.final() if a.status not in (200, 201)]
        assert not refused
        ids = sorted(student.pk for student in self.students)
        assert sorted(answer.student_id for answer in self.final()) == ids
        joined = sorted(
            changed["student_id"]
            for message in messages
            if message["type"] == "student_joined"
            for changed in changed_records(message)
            if changed["student_id"] in ids
        )
        assert joined == ids
        records = AttendanceRecord.objects.filter(
            class_session_id=class_session_id, student_id__in=ids
        )
        assert sorted(records.values_list("student_id", flat=True)) == ids

    def _run(self, site: SiteServer, waiting: SimpleQueue[tuple[int, str]]) -> None:
        with contextlib.suppress(Empty):
            while True:
                student_id, token = waiting.get_nowait()
                deadline = time.monotonic() + PATIENCE_SECONDS
                while not self._try(site, student_id, token).final:
                    if self._over.wait(RETRY_SECONDS) or time.monotonic() > deadline:
                        return
                if self._over.wait(self._pause):
                    return

    def _try(self, site: SiteServer, student_id: int, token: str) -> Answer:
        try:
            status, said = post(
                site, "check-ins/code/", self._body, token=token, timeout=10
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: an answer that was cut short, or HTML of a broken server.
            status, said = 0, error
        answer = Answer(student_id, status, str(said))
        with self._answered:
            self.answers.append(answer)
            self._answered.notify_all()
        return answer
