"""Publications lost, repeated and out of order, on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from django.db import transaction

from attendance.models import User
from attendance.publisher import publisher
from attendance.services.check_in import check_in_by_code
from attendance.services.class_sessions import close_class_session
from attendance.services.marking import mark_in_bulk
from tests.faults.school import School
from tests.faults.trial import RecordProperty, Trial
from tests.faults.wire import Wire, tampered_wire
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)

Sites = tuple[SiteServer, SiteServer]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with tampered_wire() as wire:
        yield wire


def check_in(school: School, students: Sequence[User]) -> None:
    code = school.class_session.verification_code or ""
    for student in students:
        check_in_by_code(student=student, code=code)


def mark_absent(school: School, students: Sequence[User]) -> None:
    mark_in_bulk(
        class_session=school.class_session,
        actor=school.teacher,
        operation="mark_absent",
        reason="storm",
        student_ids=[student.pk for student in students],
    )


def test_a_lost_publication(
    sites: Sites, school: School, wire: Wire, record_property: RecordProperty
) -> None:
    """In the middle, where the next one tells, and at the end, where none does."""
    with Trial("a publication lost", school, record_property) as trial:
        trial.watch_everywhere(sites)
        check_in(school, school.students[:3])
        wire.losing = True
        check_in(school, school.students[3:6])
        mark_absent(school, school.students[:9])
        wire.losing = False
        check_in(school, school.students[9:12])
        trial.wait_until_shown()

        wire.losing = True
        check_in(school, school.students[12:13])
        trial.fault_is_over()
        close_class_session(class_session=school.class_session, actor=school.teacher)
        trial.verdict()


def test_a_repeated_publication(
    sites: Sites, school: School, wire: Wire, record_property: RecordProperty
) -> None:
    with Trial("every publication twice", school, record_property) as trial:
        trial.watch_everywhere(sites)
        wire.repeating = True
        check_in(school, school.students[:20])
        mark_absent(school, school.students[10:30])
        trial.wait_until_shown()
        assert publisher.flush()
        # What comes after the last repetition shows that it had arrived.
        wire.repeating = False
        check_in(school, school.students[30:31])
        trial.fault_is_over()
        trial.verdict()


def test_reordered_publications(
    sites: Sites, school: School, wire: Wire, record_property: RecordProperty
) -> None:
    with Trial("publications in reverse order", school, record_property) as trial:
        trial.watch_everywhere(sites)
        for start in range(0, 30, 6):
            wire.holding = True
            check_in(school, school.students[start : start + 4])
            mark_absent(school, school.students[start : start + 6])
            wire.release()
        assert publisher.flush()
        check_in(school, school.students[30:31])
        trial.fault_is_over()
        trial.verdict()


class ChangedMind(Exception):
    """Rolls a transaction back."""


def test_changes_that_are_rolled_back(
    sites: Sites, school: School, record_property: RecordProperty
) -> None:
    """Their revisions are taken by others afterwards, and nobody heard of them."""
    with Trial("changes rolled back", school, record_property) as trial:
        trial.watch_everywhere(sites)
        for start in range(0, 9, 3):
            with pytest.raises(ChangedMind), transaction.atomic():
                check_in(school, school.students[start : start + 2])
                assert publisher.flush()
                raise ChangedMind
            check_in(school, school.students[start + 2 : start + 3])
        trial.fault_is_over()
        trial.verdict()
        joined = {frame["revision"] for frame in trial.screens.teachers[0].all_frames()}
        assert joined == {1, 2, 3, 4}
