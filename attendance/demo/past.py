"""
The demo school's past: some weeks of class sessions, held by the services.

Every check-in, mark and closing happens as it would have happened in class, only with
the time given: records, events and revisions fit together by construction.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from random import Random

from django.db import transaction
from django.utils import timezone

from attendance import selectors
from attendance.demo import names
from attendance.links import current_token
from attendance.models import ClassSession, Course, Role, Status, User
from attendance.services.check_in import check_in_by_code, check_in_by_token
from attendance.services.class_sessions import (
    close_class_session,
    create_class_session,
    reopen_class_session,
    rotate_verification_code,
)
from attendance.services.marking import mark_in_bulk, override_status

WEEKS = 4
_LENGTH = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)

_EXCUSES = (
    ("Doctor's note handed in.", "The note is in the folder."),
    ("Away with the debating team.", ""),
    ("Family matter, told in advance.", ""),
)
_CORRECTIONS = (
    "Was in the room; the phone was out of power.",
    "Sat in the back, overlooked.",
)


def add_past(courses: Sequence[Course]) -> None:
    """Hold the past class sessions of the demo's base courses and plan one today."""
    with _nothing_published():
        for index, course in enumerate(courses):
            teacher = User.objects.get(
                course_teachers__course=course, course_teachers__role=Role.OWNER
            )
            students = [e.student for e in selectors.active_enrollments(course.pk)]
            subject = names.subject(index + 1)
            for week in range(1, WEEKS + 1):
                _Meeting(course, teacher, students, subject, index, week).hold()
            if index == 0:
                _plan_next(course, teacher, subject)
        ClassSession.objects.filter(course__in=courses).update(
            created_at=courses[0].created_at
        )


@contextmanager
def _nothing_published() -> Iterator[None]:
    """
    Take back the publications of the block.

    Nobody can watch a class session that no transaction has committed yet, and so
    many at once would only push the messages of others out of the queue.
    """
    connection = transaction.get_connection()
    waiting = len(connection.run_on_commit)
    yield
    del connection.run_on_commit[waiting:]


def _plan_next(course: Course, teacher: User, subject: names.Subject) -> None:
    """A class session for later today, for the teacher to open with one click."""
    now = timezone.now()
    starts_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    create_class_session(
        course=course,
        actor=teacher,
        title=f"Week {WEEKS + 1}",
        location=subject.location,
        starts_at=starts_at,
        ends_at=starts_at + _LENGTH,
        # Whoever tries the demo opens it at any hour and checks in at once.
        early_minutes=12 * 60,
    )


class _Meeting:
    """One past class session in the making; the same whenever it is made."""

    def __init__(
        self,
        course: Course,
        teacher: User,
        students: Sequence[User],
        subject: names.Subject,
        index: int,
        week: int,
    ) -> None:
        self.course = course
        self.teacher = teacher
        self.students = students
        self.subject = subject
        self.week = week
        self.index = index
        self.random = Random(f"{course.code} {week}")
        today = timezone.now().astimezone(course.zone).date()
        monday = today - timedelta(days=today.weekday(), weeks=WEEKS + 1 - week)
        self.starts_at = datetime.combine(
            monday + timedelta(days=subject.weekday),
            time(subject.hour),
            tzinfo=course.zone,
        )
        self.ends_at = self.starts_at + _LENGTH

    def hold(self) -> None:
        """Open, have the students arrive, close, correct afterwards."""
        arrivals = self._arrivals()
        break_at = self.starts_at + 10 * _MINUTE
        session = create_class_session(
            course=self.course,
            actor=self.teacher,
            open_now=True,
            title=f"Week {self.week}",
            location=self.subject.location,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            at=self.starts_at - 12 * _MINUTE,
        )
        self._check_in(session, [a for a in arrivals if a[0] < break_at])
        if self.week == 3:
            session = rotate_verification_code(
                class_session=session, actor=self.teacher, at=break_at
            )
        self._check_in(session, [a for a in arrivals if a[0] >= break_at])
        unmarked = self._unmarked(session)
        if self.week == 2 and len(unmarked) > 2:
            mark_in_bulk(
                class_session=session,
                actor=self.teacher,
                operation="mark_excused",
                student_ids=unmarked[:2],
                only_unmarked=True,
                reason="On an excursion of another course.",
                at=self.starts_at + 40 * _MINUTE,
            )
        close_class_session(class_session=session, actor=self.teacher, at=self.ends_at)
        self._correct(session)

    def _arrivals(self) -> list[tuple[datetime, User, bool]]:
        """When who comes, and whether by QR code; who is not in it stays away."""
        arrivals = []
        for number, student in enumerate(self.students):
            # Some are more punctual than others, all through the term.
            habit = number % 7
            chance = self.random.random()
            if chance < 0.04 + 0.02 * habit:
                continue
            if chance > 0.97 - 0.02 * habit:
                after = self.random.uniform(6, 25)
            else:
                after = self.random.uniform(-10, 4.5)
            seconds = timedelta(seconds=round(after * 60))
            arrivals.append(
                (self.starts_at + seconds, student, self.random.random() < 0.7)
            )
        return sorted(arrivals, key=lambda arrival: (arrival[0], arrival[1].pk))

    def _check_in(
        self, session: ClassSession, arrivals: list[tuple[datetime, User, bool]]
    ) -> None:
        token, code = current_token(session), session.verification_code or ""
        for at, student, by_qr_code in arrivals:
            if by_qr_code:
                check_in_by_token(student=student, token=token, at=at)
            else:
                check_in_by_code(student=student, code=code, at=at)

    def _unmarked(self, session: ClassSession) -> list[int]:
        marked = set(session.records.values_list("student_id", flat=True))
        return [s.pk for s in self.students if s.pk not in marked]

    def _correct(self, session: ClassSession) -> None:
        """What the teacher set right in the days after."""
        absent = list(
            session.records.filter(status=Status.ABSENT)
            .order_by("student_id")
            .values_list("student_id", flat=True)
        )
        at = self.ends_at + 5 * _MINUTE
        if self.week == WEEKS and absent:
            # Somebody could not check in in time, and the teacher waited.
            session = reopen_class_session(
                class_session=session, actor=self.teacher, at=at
            )
            late = next(s for s in self.students if s.pk == absent[0])
            self._check_in(session, [(at + _MINUTE, late, False)])
            close_class_session(
                class_session=session, actor=self.teacher, at=at + 2 * _MINUTE
            )
            absent = absent[1:]
        excuse, notes = _EXCUSES[(self.index + self.week) % len(_EXCUSES)]
        correction = _CORRECTIONS[self.week % len(_CORRECTIONS)]
        marks = [
            (Status.EXCUSED, excuse, notes),
            (Status.PRESENT, correction, ""),
        ]
        for hours, student_id, (status, reason, note) in zip(
            itertools.count(2), absent, marks, strict=False
        ):
            override_status(
                class_session=session,
                actor=self.teacher,
                student_id=student_id,
                status=status,
                reason=reason,
                notes=note,
                at=self.ends_at + timedelta(hours=hours),
            )
