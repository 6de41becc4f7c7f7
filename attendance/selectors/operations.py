"""What was done to the marks of a class session, one entry per operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from attendance import rules
from attendance.models import AttendanceEvent, ClassSession, Source, User
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


def operations(
    class_session: ClassSession, viewer: User, events: Iterable[AttendanceEvent]
) -> list[Payload]:
    """These operations of the class session, and whether `viewer` can undo them now."""
    brought_back = _BroughtBack(class_session.pk)
    records = class_session.records.values_list("student_id", "version", "source")
    source = Source.of(viewer)
    versions = {
        student_id: version
        for student_id, version, standing in records
        if rules.may_replace(source, Source(standing))
    }
    standing_versions = brought_back.stand_for(versions)
    now = timezone.now()
    listed = []
    for event in events:
        left = brought_back.stand_for(versions_left_by(event))
        in_time = now <= edit_window_end(class_session, event.at)
        untouched = any(standing_versions.get(s) == left[s] for s in left)
        listed.append(
            {
                **_operation(event),
                "is_undoable": event.before is not None and in_time and untouched,
            }
        )
    return listed


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

    def __init__(self, class_session_id: int) -> None:
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
