"""Undo: one operation taken back, for every record that nobody has touched since."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from attendance import events, rules, selectors
from attendance.exceptions import (
    AlreadyUndoneError,
    EditWindowClosedError,
    NotFoundError,
    NotUndoableError,
    OverruledError,
    VersionConflictError,
)
from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    MessageType,
    OverruledMark,
    Source,
    User,
)
from attendance.payloads import Payload
from attendance.services.marking import NotMarked, left_out
from attendance.services.marks import (
    change_all,
    clean_reason,
    lock_course,
    put_back,
    read_session,
    states_of,
)
from attendance.services.precedence import is_overruled
from attendance.services.records import claim_records

DEFAULT_REASON = "Undone."
# What of a record an undo writes.
_WRITTEN = (
    "status",
    "check_in_time",
    "late_minutes",
    "verification_method",
    "source",
    "override_reason",
    "notes",
    "version",
)


@dataclasses.dataclass(frozen=True, slots=True)
class UndoOutcome:
    """
    What an undo did: the Records that are again as they were, and who was left out.

    `operation_id` names the undo itself, which can be undone, too; None: nothing was
    restored.
    """

    operation_id: uuid.UUID | None
    restored: list[Payload]
    not_restored: list[NotMarked]


@transaction.atomic
def undo_operation(
    *,
    class_session: ClassSession,
    actor: User,
    operation_id: uuid.UUID,
    reason: str | None = None,
    at: datetime | None = None,
) -> UndoOutcome:
    """
    Take back an override, a bulk operation or an undo: one transaction, one message.

    Only records that are as the operation left them become what they were before, and
    a check-in that the undone mark overruled counts as it would have without the mark;
    whoever has been changed since (and not by something that has been undone), or
    bears a mark stronger than the actor's, is left out and reported. Raises
    NotFoundError, NotUndoableError, AlreadyUndoneError, EditWindowClosedError,
    InvalidInputError.
    """
    at = at or timezone.now()
    reason = DEFAULT_REASON if reason is None else clean_reason(reason)
    event = AttendanceEvent.objects.filter(
        class_session=class_session, operation_id=operation_id
    ).first()
    if event is None:
        raise NotFoundError("This class session has no such operation.")
    if event.before is None:
        raise NotUndoableError
    current = read_session(class_session)
    if at > selectors.edit_window_end(current, event.at):
        raise EditWindowClosedError
    # Before the records: a closing must not miss whom this makes unmarked.
    lock_course(current)

    source = Source.of(actor)
    left = selectors.versions_left_by(event)
    untouched: list[AttendanceRecord] = []
    touched: list[AttendanceRecord] = []
    overruled: list[AttendanceRecord] = []
    claimed = claim_records(current, left)
    versions = {student_id: record.version for student_id, record in claimed.items()}
    same = selectors.same_marks(current.pk, versions, left)
    for record in claimed.values():
        if record.student_id not in same:
            touched.append(record)
        elif is_overruled(record, source) or _was_stronger(event, record, source):
            overruled.append(record)
        else:
            untouched.append(record)
    undone = AttendanceEvent.objects.filter(
        class_session=current, data__undone_operation_id=str(operation_id)
    )
    if not untouched and undone.exists():
        raise AlreadyUndoneError
    not_restored = [
        *left_out(current, touched, VersionConflictError),
        *left_out(current, overruled, OverruledError),
    ]
    if not untouched:
        return UndoOutcome(None, [], not_restored)

    before, then = event.before, states_of(untouched)
    check_ins = _overruled_check_ins(untouched, left)

    def bring_back(record: AttendanceRecord) -> None:
        put_back(record, before.get(str(record.student_id)))
        check_in = check_ins.get(record.pk)
        # As always: whoever is checked in already is left alone.
        if check_in is not None and not record.is_checked_in:
            _count(check_in, record, current)

    names = selectors.names_of(record.student_id for record in untouched)
    by_student = change_all(current, untouched, names, bring_back, at)
    changed = [by_student[student_id] for student_id in names]
    # All rows are there and locked: one statement, however many and different they are.
    AttendanceRecord.objects.bulk_create(
        untouched,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_WRITTEN,
    )
    undo_id = uuid.uuid4()
    events.next_revision(current)
    events.append(
        current,
        type=MessageType.ATTENDANCE_UPDATE,
        data={
            **events.bulk_data(
                "undo",
                operation="undo",
                operation_id=str(undo_id),
                records=[message for _, message in changed],
                unchanged_count=0,
                failed_count=len(not_restored),
                reason=reason,
                actor=actor,
            ),
            "undone_operation_id": str(operation_id),
        },
        actor=actor,
        at=at,
        operation_id=undo_id,
        before=then,
    )
    return UndoOutcome(undo_id, [record for record, _ in changed], not_restored)


def _was_stronger(
    event: AttendanceEvent, record: AttendanceRecord, source: Source
) -> bool:
    """Whether undoing would bring back a mark that only a stronger source may set."""
    state = (event.before or {}).get(str(record.student_id))
    return state is not None and not rules.may_replace(source, Source(state["source"]))


def _overruled_check_ins(
    records: Sequence[AttendanceRecord], left: Mapping[int, int]
) -> dict[int, OverruledMark]:
    """The first check-in since the mark to be undone, by record."""
    found: dict[int, OverruledMark] = {}
    said = OverruledMark.objects.filter(record__in=records, source=Source.STUDENT)
    for mark in said.select_related("record").order_by("-pk"):
        if mark.record_version >= left[mark.record.student_id]:
            found[mark.record_id] = mark
    return found


def _count(
    check_in: OverruledMark, record: AttendanceRecord, class_session: ClassSession
) -> None:
    """Make the record what the check-in would have made of it."""
    record.status = check_in.status
    record.check_in_time = check_in.at
    record.late_minutes = rules.override_late_minutes(
        check_in.status, class_session.starts_at, check_in.at, check_in.at
    )
    record.verification_method = check_in.verification_method
    record.source = Source.STUDENT
