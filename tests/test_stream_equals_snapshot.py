"""State before + frames = snapshot after, for every service that changes something."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from attendance import selectors
from attendance.links import current_token
from attendance.models import AttendanceEvent, ClassSession, User
from attendance.services import class_sessions as sessions
from attendance.services import courses, marking
from attendance.services.check_in import check_in_by_code, check_in_by_token
from tests.live import Frame, Stream, fold, open_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


def as_fresh(state: Frame) -> Frame:
    """A folded state in the shape of a snapshot, but for the order of the roster."""
    return {"type": "snapshot", **state}


def fresh(class_session: ClassSession) -> Frame:
    snapshot = selectors.snapshot(class_session.pk)
    return snapshot | {"records": {r["student_id"]: r for r in snapshot["records"]}}


class Tracker:
    """A client that folds what it hears, and can be held against the database."""

    def __init__(self, stream: Stream, class_session: ClassSession) -> None:
        self.stream = stream
        self.class_session = class_session
        self.state = fold({}, stream.next())
        self.kinds: list[str] = []

    def after(self, change: Callable[[], object]) -> None:
        """Make a change; read up to its revision; compare."""
        change()
        expected = fresh(self.class_session)
        while (
            self.state["revision"] < expected["revision"]
            # The snapshot that follows would else be as of the next change.
            or self.kinds[-1:] == ["reopened"]
        ):
            frame = self.stream.next()
            self.kinds.append(frame.get("data", {}).get("event") or frame["type"])
            self.state = fold(self.state, frame)
        assert as_fresh(self.state) == expected


def test_it_holds_for_every_service(
    site: SiteServer,
    teacher: User,
    student: User,
    student2: User,
    outsider: User,
    class_session: ClassSession,
) -> None:
    course = class_session.course

    def current() -> ClassSession:
        return ClassSession.objects.select_related("course").get(pk=class_session.pk)

    def code() -> str:
        return current().verification_code or ""

    def override(who: User, status: str, reason: str) -> None:
        marking.override_status(
            class_session=current(),
            actor=teacher,
            student_id=who.pk,
            status=status,
            reason=reason,
            notes="seen at the door",
        )

    def bulk(operation: str, only_unmarked: bool = False) -> None:
        marking.mark_in_bulk(
            class_session=current(),
            actor=teacher,
            operation=operation,
            reason="storm",
            only_unmarked=only_unmarked,
        )

    with open_stream(site, session_path(class_session), user=teacher) as stream:
        client = Tracker(stream, class_session)
        client.after(
            lambda: check_in_by_token(student=student, token=current_token(current()))
        )
        client.after(
            lambda: courses.enroll_student(
                course=course, student_id=outsider.pk, actor=teacher
            )
        )
        client.after(lambda: override(student2, "late", "bus"))
        client.after(
            lambda: sessions.rotate_verification_code(
                class_session=current(), actor=teacher
            )
        )
        client.after(lambda: check_in_by_code(student=outsider, code=code()))
        client.after(
            lambda: courses.unenroll_student(
                course=course, student_id=outsider.pk, actor=teacher
            )
        )
        client.after(lambda: bulk("mark_absent"))
        client.after(
            lambda: sessions.edit_class_session(
                class_session=current(),
                actor=teacher,
                title="Week 3",
                late_cutoff_minutes=30,
            )
        )
        client.after(
            lambda: courses.enroll_student(
                course=course,
                student_id=User.objects.create(username="new", name="Nora New").pk,
                actor=teacher,
            )
        )
        client.after(
            lambda: sessions.close_class_session(class_session=current(), actor=teacher)
        )
        client.after(lambda: override(student, "excused", "ill"))
        client.after(
            lambda: sessions.reopen_class_session(
                class_session=current(), actor=teacher
            )
        )
        late = User.objects.create(username="last", name="Lars Last")
        client.after(
            lambda: courses.enroll_student(
                course=course, student_id=late.pk, actor=teacher
            )
        )
        client.after(
            lambda: courses.unenroll_student(
                course=course, student_id=late.pk, actor=teacher
            )
        )
        client.after(lambda: bulk("mark_present", only_unmarked=True))

    assert client.kinds == [
        "student_joined",
        "enrolled",
        "override",
        "code_rotated",
        "student_joined",
        # Unenrolling somebody with a record is no message: the place stays.
        "bulk",
        "edited",
        "enrolled",
        "auto_close",
        "closed",
        "override",
        "reopened",
        "snapshot",
        "enrolled",
        "unenrolled",
    ]


def test_revisions_have_no_holes(
    transactional_db: None, teacher: User, student: User, class_session: ClassSession
) -> None:
    check_in_by_code(student=student, code=class_session.verification_code or "")
    sessions.close_class_session(class_session=class_session, actor=teacher)

    revisions = AttendanceEvent.objects.filter(class_session=class_session).values_list(
        "revision", flat=True
    )
    assert list(revisions) == [1, 2, 3, 4]
    assert selectors.stream_state(class_session.pk)["revision"] == 4


def test_what_changes_nothing_says_nothing(
    transactional_db: None, teacher: User, student: User, class_session: ClassSession
) -> None:
    course = class_session.course
    code = class_session.verification_code or ""
    check_in_by_code(student=student, code=code)
    marking.override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="present",
        reason="seen",
    )
    before = selectors.snapshot(class_session.pk)

    check_in_by_code(student=student, code=code)
    marking.override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="present",
        reason="seen",
    )
    marking.mark_in_bulk(
        class_session=class_session,
        actor=teacher,
        operation="mark_present",
        reason="again",
        student_ids=[student.pk],
    )
    sessions.open_class_session(class_session=class_session, actor=teacher)
    sessions.reopen_class_session(class_session=class_session, actor=teacher)
    sessions.edit_class_session(class_session=class_session, actor=teacher, title="")
    courses.enroll_student(course=course, student_id=student.pk, actor=teacher)

    assert selectors.snapshot(class_session.pk) == before
