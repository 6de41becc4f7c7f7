"""One fault, the screens that live through it, and what is asserted afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from attendance import selectors
from attendance.models import User
from tests.faults.bursts import Burst
from tests.faults.school import School
from tests.faults.screens import (
    LONGEST_DELAY_SECONDS,
    OwnScreen,
    Screens,
    SessionScreen,
)
from tests.faults.truth import (
    as_record,
    changed_records,
    fresh,
    require_consistent,
)
from tests.live import Frame
from tests.servers import SiteServer

# One heartbeat and one reconnect; the rest is a guard against hanging.
HEARTBEAT_SECONDS = 1.0
HEALED_SECONDS = HEARTBEAT_SECONDS + LONGEST_DELAY_SECONDS + 10.0

RecordProperty = Callable[[str, object], None]


class Trial:
    """
    A fault under the eyes of several screens.

    Call `fault_is_over` when it is, and `verdict` at the end: it asserts the guarantee.
    However it ends, the fault has its row in the table.
    """

    def __init__(
        self, fault: str, school: School, record_property: RecordProperty
    ) -> None:
        self.fault = fault
        self.school = school
        self.screens = Screens()
        self._record = record_property
        self._own: list[tuple[User, OwnScreen]] = []
        self._healed: float | None = None

    @property
    def class_session_id(self) -> int:
        return self.school.class_session.pk

    def __enter__(self) -> Self:
        self.screens.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.screens.__exit__(kind, error, traceback)
        self._record("fault", self._row())

    def watch(self, site: SiteServer, user: User) -> SessionScreen:
        """Open the class session's page as that teacher."""
        token = self.school.token(user)
        return self.screens.watch(site, self.school.class_session, token)

    def watch_everywhere(self, sites: Sequence[SiteServer]) -> None:
        """
        A screen of each teacher at each process, and one of two students' own.

        Returns when all of them show what there is.
        """
        for site in sites:
            self.watch(site, self.school.teacher)
            self.watch(site, self.school.co_teacher)
        for number, student in enumerate(self.school.students[:2]):
            site = sites[number % len(sites)]
            screen = self.screens.watch_own(site, self.school.token(student))
            self._own.append((student, screen))
        self.wait_until_shown()

    def wait_until_shown(self) -> float:
        """
        Wait until every screen shows what is committed now; how long it took.

        And has heard something since: one that is cut off is not live, even if it
        happens to be right.
        """
        heard = {screen: screen.frames_seen for screen in self.screens.all}
        expected = fresh(self.class_session_id)
        own = [(own_records(student), screen) for student, screen in self._own]

        def shown() -> bool:
            live = all(screen.frames_seen > n for screen, n in heard.items())
            return (
                live
                and all(
                    # A burst may go on meanwhile.
                    screen.revision > expected["revision"] or screen.state == expected
                    for screen in self.screens.teachers
                )
                and all(covers(screen.state, records) for records, screen in own)
            )

        return self.screens.wait_until(
            shown, HEALED_SECONDS, f"every screen shows {expected['revision']}"
        )

    def fault_is_over(self) -> None:
        """Wait until all screens are right again, and note how long that took."""
        self._healed = self.wait_until_shown()

    def verdict(self, *bursts: Burst) -> None:
        """
        Wait for the last change, then assert that nobody was told less or more.

        Nothing lost, nothing twice, nothing that was not committed, all in order; and
        every check-in that was answered is in the database, once.
        """
        if self._healed is None:
            self.fault_is_over()
        else:
            self.wait_until_shown()
        messages = require_consistent(self.class_session_id)
        row = self._row()
        assert (row["lost"], row["duplicated"]) == (0, 0)
        for screen in self.screens.teachers:
            assert screen.disordered == 0
            require_true(screen.all_frames(), messages)
        for student, own in self._own:
            assert own.state == own_records(student)
        for burst in bursts:
            burst.require_kept(self.class_session_id, messages)

    def _row(self) -> dict[str, Any]:
        """The fault's row in the table, as of now."""
        newest = selectors.stream_state(self.class_session_id)["revision"]
        revisions = set(range(1, 1 + newest))
        shown = [revisions & screen.shown() for screen in self.screens.teachers]
        return {
            "fault": self.fault,
            "screens": len(self.screens.all),
            "changes": len(revisions),
            "shown": min((len(seen) for seen in shown), default=0),
            "lost": sum(len(revisions - seen) for seen in shown),
            "duplicated": sum(screen.duplicated for screen in self.screens.all),
            "healed": "never" if self._healed is None else round(self._healed, 1),
        }


def own_records(student: User) -> dict[int, Frame]:
    """The student's records by their id, as a page of their own shows them."""
    return {record["id"]: record for record in selectors.newest_records_of(student)}


def covers(state: dict[int, Frame], records: dict[int, Frame]) -> bool:
    """Whether a student's page shows these records, or later versions of them."""
    return all(
        state.get(pk) == record
        or state.get(pk, {"version": 0})["version"] > record["version"]
        for pk, record in records.items()
    )


def require_true(frames: list[Frame], messages: list[Frame]) -> None:
    """Assert that frames say nothing that the committed messages do not."""
    by_revision = {message["revision"]: message for message in messages}
    records = {
        (changed["student_id"], changed["version"]): as_record(changed)
        for message in messages
        for changed in changed_records(message)
    }
    for frame in frames:
        if frame["type"] != "snapshot":
            assert frame == by_revision.get(frame["revision"])
            continue
        assert frame["revision"] in by_revision
        for record in frame["records"]:
            if record["version"]:
                assert record == records[record["student_id"], record["version"]]
