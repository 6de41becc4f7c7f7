"""How a record came to be what it is."""

from __future__ import annotations

from attendance import rows
from attendance.models import AttendanceEvent, AttendanceRecord, MessageType, User
from attendance.payloads import Payload, iso, person_payload
from attendance.selectors.operations import with_actors


def history(record: AttendanceRecord) -> list[Payload]:
    """Every change of the record, oldest first."""
    # Every student who has checked in asks this: without the ORM's compiler.
    statement = f"""
        SELECT {rows.selected(e=AttendanceEvent, u=User)}
        FROM {rows.table(AttendanceEvent)} e
        LEFT JOIN {rows.table(User)} u ON u.id = e.actor_id
        WHERE e.class_session_id = %s AND e.type IN (%s, %s)
            AND (e.student_id = %s OR e.student_id IS NULL)
        ORDER BY e.revision
    """
    types = MessageType.STUDENT_JOINED.value, MessageType.ATTENDANCE_UPDATE.value
    parameters = [record.class_session_id, *types, record.student_id]
    changes = []
    for event in with_actors(statement, parameters):
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
