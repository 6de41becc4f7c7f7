"""What was done to the marks of a class session, one entry per operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from attendance import rows, rules
from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Source,
    User,
)
from attendance.payloads import Payload, iso, person_payload


def operation_events(class_session_id: int) -> QuerySet[AttendanceEvent]:
    """
    Overrides, bulk operations, undoings and closings, the latest first.

    What checked students in is not an operation: nobody can undo it.
    """
    return (
        AttendanceEvent.objects.select_related("actor")
        .filter(class_session_id=class_session_id, operation_id__isnull=False)
        .order_by("-revision")
    )


def latest_operation_events(class_session_id: int, limit: int) -> list[AttendanceEvent]:
    """The first of `operation_events`, for the live page: in half the time."""
    statement = f"""
        SELECT {rows.selected(e=AttendanceEvent, u=User)}
        FROM {rows.table(AttendanceEvent)} e
        LEFT JOIN {rows.table(User)} u ON u.id = e.actor_id
        WHERE e.class_session_id = %s AND e.operation_id IS NOT NULL
        ORDER BY e.revision DESC LIMIT %s
    """
    return with_actors(statement, [class_session_id, limit])


def with_actors(statement: str, parameters: Sequence[Any]) -> list[AttendanceEvent]:
    """The events, with their actors, that a SELECT of both their columns finds."""
    listed = []
    for event, actor in rows.joined(statement, parameters, AttendanceEvent, User):
        event.actor = actor
        listed.append(event)
    return listed


def operations(
    class_session: ClassSession,
    viewer: User,
    events: Iterable[AttendanceEvent],
    *,
    are_all: bool = False,
    marks: Mapping[int, tuple[str, int]] | None = None,
) -> list[Payload]:
    """
    These operations of the class session, and whether `viewer` can undo them now.

    `are_all`: it has no others, so none need be looked for. `marks`: source and version
    of all its records by student id, if they are at hand.
    """
    listed = list(events)
    now = timezone.now()
    in_time = {
        event.pk
        for event in listed
        if event.before is not None and now <= edit_window_end(class_session, event.at)
    }
    undoable: set[int] = set()
    # Most often there is none, and then nothing more to look up.
    if in_time:
        brought_back = _BroughtBack(class_session.pk, listed if are_all else None)
        if marks is None:
            marks = _marks(class_session)
        standing = brought_back.stand_for(_replaceable(marks, viewer))
        for event in listed:
            if event.pk not in in_time:
                continue
            left = brought_back.stand_for(versions_left_by(event))
            if any(standing.get(student) == left[student] for student in left):
                undoable.add(event.pk)
    return [
        {**_operation(event), "is_undoable": event.pk in undoable} for event in listed
    ]


def _marks(class_session: ClassSession) -> dict[int, tuple[str, int]]:
    """Source and version of the records, by student id."""
    statement = f"""
        SELECT student_id, source, version FROM {rows.table(AttendanceRecord)}
        WHERE class_session_id = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [class_session.pk])
        return {student: (source, version) for student, source, version in cursor}


def _replaceable(marks: Mapping[int, tuple[str, int]], viewer: User) -> dict[int, int]:
    """The versions of the records that `viewer` may change, by student id."""
    source = Source.of(viewer)
    weaker = {s.value for s in Source if rules.may_replace(source, s)}
    return {
        student: version
        for student, (marked_by, version) in marks.items()
        if marked_by in weaker
    }


def same_marks(
    class_session_id: int, versions: Mapping[int, int], others: Mapping[int, int]
) -> set[int]:
    """
    The students whose record is the same at both versions (each by student id).

    Two versions are the same where an undo made the later one and thereby brought
    back the earlier: so undoing one operation after the other goes all the way, as if
    those undone had never been.
    """
    brought_back = _BroughtBack(class_session_id)
    these, those = brought_back.stand_for(versions), brought_back.stand_for(others)
    return {
        student_id for student_id in these if these[student_id] == those[student_id]
    }


def versions_left_by(event: AttendanceEvent) -> dict[int, int]:
    """The version of each record that the event changed, by student id."""
    return {
        changed["student_id"]: changed["version"]
        for changed in event.data.get("records", (event.data,))
    }


def edit_window_end(class_session: ClassSession, changed_at: datetime) -> datetime:
    """
    Until when a change of that time can be undone in this class session.

    Counted from the session's end, or from the change where that came later: who
    corrects last month's list may mistype, too.
    """
    return max(class_session.ends_at, changed_at) + settings.EDIT_WINDOW


class _BroughtBack:
    """Which version each undo brought back, of each student's record."""

    def __init__(
        self, class_session_id: int, known: Sequence[AttendanceEvent] | None = None
    ) -> None:
        """`known`: all operations of the class session, if they are at hand."""
        undos: Iterable[AttendanceEvent]
        undone: Iterable[AttendanceEvent]
        if known is not None:
            undos = sorted(
                (event for event in known if event.data["event"] == "undo"),
                key=lambda event: event.revision,
            )
            undone = known
        else:
            events = operation_events(class_session_id)
            undos = events.filter(data__event="undo").order_by("revision")
            names = [event.data["undone_operation_id"] for event in undos]
            undone = events.filter(operation_id__in=names)
        by_name = {str(event.operation_id): event for event in undone}
        self._found: dict[tuple[int, int], int] = {}
        for event in undos:
            before = by_name[event.data["undone_operation_id"]].before or {}
            for student_id, version in versions_left_by(event).items():
                # Who was unmarked has no state: version 0.
                was = before.get(str(student_id), {"version": 0})["version"]
                self._found[student_id, version] = self._found.get(
                    (student_id, was), was
                )

    def stand_for(self, versions: Mapping[int, int]) -> dict[int, int]:
        """`versions` by student id, but for what an undo made: what it brought back."""
        return {
            student_id: self._found.get((student_id, version), version)
            for student_id, version in versions.items()
        }


def _operation(event: AttendanceEvent) -> Payload:
    changed = event.data.get("records", (event.data,))
    statuses = {record["attendance_status"] for record in changed}
    return {
        "operation_id": str(event.operation_id),
        "revision": event.revision,
        "timestamp": iso(event.at),
        "event": event.data["event"],
        "actor": person_payload(event.actor),
        "new_status": statuses.pop() if len(statuses) == 1 else None,
        "reason": event.data["reason"],
        "student_count": len(changed),
        "student_name": changed[0]["student_name"] if len(changed) == 1 else None,
    }
