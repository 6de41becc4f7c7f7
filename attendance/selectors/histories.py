"""How a record came to be what it is."""

from __future__ import annotations

from django.db.models import Q

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    MessageType,
)
from attendance.payloads import (
    Payload,
    iso,
    person_payload,
)


def history(record: AttendanceRecord) -> list[Payload]:
    """Every change of the record, oldest first."""
    found = (
        AttendanceEvent.objects.select_related("actor")
        .filter(
            Q(student_id=record.student_id) | Q(student__isnull=True),
            class_session_id=record.class_session_id,
            type__in=(MessageType.STUDENT_JOINED, MessageType.ATTENDANCE_UPDATE),
        )
        .order_by("revision")
    )
    changes = []
    for event in found:
        for changed in event.data.get("records", (event.data,)):
            if changed["student_id"] != record.student_id:
                continue
            changes.append(
                {
                    "revision": event.revision,
                    "timestamp": iso(event.at),
                    "actor": person_payload(event.actor),
                    "old_status": changed["old_status"],
                    "new_status": changed["attendance_status"],
                    "reason": event.data.get("reason"),
                    "verification_method": changed["verification_method"],
                }
            )
    return changes
