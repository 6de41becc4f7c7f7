"""Where somebody said something else than the mark that stands."""

from __future__ import annotations

from django.db.models import F

from attendance import rows
from attendance.models import AttendanceRecord, OverruledMark, Source, User
from attendance.payloads import Payload, iso, person_payload


def open_conflicts(class_session_id: int) -> list[Payload]:
    """
    The records of the class session with something said against them, by student id.

    Each with the status that stands and what was said since: by the strongest source,
    and of that the latest.
    """
    found = (
        OverruledMark.objects.select_related("record", "actor")
        .filter(
            class_session_id=class_session_id,
            record_version=F("record__version"),
        )
        .order_by("record__student_id", "pk")
    )
    return _conflicts(list(found))


def conflict_of(record: AttendanceRecord) -> Payload | None:
    """The record's own conflict, if there is one."""
    found = (
        OverruledMark.objects.select_related("record", "actor")
        .filter(record=record, record_version=record.version)
        .order_by("pk")
    )
    return next(iter(_conflicts(list(found))), None)


def overruled_marks(record: AttendanceRecord) -> list[OverruledMark]:
    """All that was ever said against the record as it was then, oldest first."""
    statement = f"""
        SELECT {rows.selected(o=OverruledMark, u=User)}
        FROM {rows.table(OverruledMark)} o
        JOIN {rows.table(User)} u ON u.id = o.actor_id
        WHERE o.record_id = %s ORDER BY o.id
    """
    marks = []
    for mark, mark.actor in rows.joined(statement, [record.pk], OverruledMark, User):
        marks.append(mark)
    return marks


def _conflicts(marks: list[OverruledMark]) -> list[Payload]:
    telling: dict[int, OverruledMark] = {}
    for mark in marks:
        told = telling.get(mark.record_id)
        if told is None or Source(mark.source).rank >= Source(told.source).rank:
            telling[mark.record_id] = mark
    return [
        {
            "student_id": mark.record.student_id,
            "version": mark.record_version,
            "standing": {
                "attendance_status": str(mark.record.status),
                "source": str(mark.record.source),
                "reason": mark.record.override_reason,
            },
            "overruled": {
                "attendance_status": str(mark.status),
                "source": str(mark.source),
                "verification_method": str(mark.verification_method),
                "reason": mark.reason or None,
                "actor": person_payload(mark.actor),
                "timestamp": iso(mark.at),
            },
        }
        for mark in telling.values()
        if mark.status != mark.record.status
    ]
