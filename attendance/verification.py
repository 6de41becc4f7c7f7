"""
Whether the history is what was written: the seal, and the records rebuilt from it.

Reads only. What it finds are differences between what the database says in two places,
or says now and was sealed to say; which of the two is right is for people to find out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from django.db import connection, transaction

from attendance import append_only, sealing
from attendance.models import (
    UNMARKED,
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    MessageType,
    Source,
    VerificationMethod,
)
from attendance.payloads import Payload, iso_or_none

# Of a record's row, as its events tell it.
_COMPARED = (
    "attendance_status",
    "check_in_time",
    "late_minutes",
    "verification_method",
    "override_reason",
    "notes",
    "version",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The last event of a class session: it seals all before it."""

    class_session_id: int
    revision: int
    hash: str


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """What was found wrong in one class session; nothing, if it is as written."""

    head: Head
    events: int
    records: int
    findings: list[str]


def verify_database() -> list[str]:
    """What is wrong with the database's own guard over the history."""
    return [
        f"The trigger {name} is missing or switched off: "
        "the database would not refuse a change of the history."
        for name in append_only.missing_triggers(connection)
    ]


def verify_class_session(class_session_id: int) -> Verified:
    """
    Rebuild the records of a class session from its events and compare.

    The parts are read one after the other, so once more with the session held still
    where it changed meanwhile.
    """
    session, events, records = _read(class_session_id)
    if session.revision != ClassSession.objects.get(pk=session.pk).revision:
        with transaction.atomic():
            ClassSession.objects.select_for_update(no_key=True).get(pk=session.pk)
            session, events, records = _read(class_session_id)

    head = Head(session.pk, 0, sealing.GENESIS)
    rebuilt: dict[int, Payload] = {}
    findings: list[str] = []
    operations = {str(event.operation_id): event for event in events}
    for event in events:
        findings += _sealed_wrong(event, head)
        head = Head(session.pk, event.revision, event.hash)
        for changed in _changed_by(event):
            findings += _told_wrong(event, changed, rebuilt.get(changed["student_id"]))
            rebuilt[changed["student_id"]] = {
                **changed,
                "source": _source_after(event, changed, operations),
            }
    if session.revision != head.revision:
        findings.append(
            f"the class session says revision {session.revision}, "
            f"its last event is revision {head.revision}"
        )
    findings += _compared(records, rebuilt)
    named = [f"Class session {session.pk} ({session}): {what}." for what in findings]
    return Verified(head, len(events), len(records), named)


def compare_heads(heads: Iterable[Head]) -> Iterator[str]:
    """What no longer is as it was when these heads were kept elsewhere."""
    for kept in heads:
        found = (
            AttendanceEvent.objects.filter(
                class_session_id=kept.class_session_id, revision=kept.revision
            )
            .values_list("hash", flat=True)
            .first()
        )
        if kept.revision and found != kept.hash:
            what = "is gone" if found is None else "is another one now"
            yield (
                f"Class session {kept.class_session_id}: revision {kept.revision}, "
                f"whose hash was kept elsewhere, {what}."
            )


def _read(
    class_session_id: int,
) -> tuple[ClassSession, list[AttendanceEvent], list[AttendanceRecord]]:
    session = ClassSession.objects.select_related("course").get(pk=class_session_id)
    events = list(
        AttendanceEvent.objects.filter(class_session=session).order_by("revision")
    )
    records = list(AttendanceRecord.objects.filter(class_session=session))
    return session, events, records


def _sealed_wrong(event: AttendanceEvent, before: Head) -> Iterator[str]:
    if event.revision != before.revision + 1:
        yield f"revision {before.revision + 1} is missing"
    expected = sealing.chained(before.hash, sealing.content_digest(event))
    if event.hash != expected:
        yield (
            f"revision {event.revision} is not what was sealed: "
            "it, or the one before it, has been changed"
        )


def _changed_by(event: AttendanceEvent) -> list[Payload]:
    if event.type not in (MessageType.STUDENT_JOINED, MessageType.ATTENDANCE_UPDATE):
        return []
    changed: list[Payload] = event.data.get("records", [event.data])
    return changed


def _told_wrong(
    event: AttendanceEvent, changed: Payload, before: Payload | None
) -> Iterator[str]:
    version = 0 if before is None else before["version"]
    status = UNMARKED if before is None else before["attendance_status"]
    if (changed["version"], changed["old_status"]) != (version + 1, status):
        yield (
            f"revision {event.revision} makes student {changed['student_id']} version "
            f"{changed['version']}, until then {changed['old_status']}, after "
            f"version {version}, {status}"
        )


def _source_after(
    event: AttendanceEvent, changed: Payload, operations: dict[str, AttendanceEvent]
) -> str:
    """Whom the mark comes from: after an undo, from whoever had set it before."""
    if event.data.get("event") != "undo":
        return event.source
    if changed["verification_method"] != VerificationMethod.TEACHER_OVERRIDE:
        by_nobody = (None, VerificationMethod.AUTO_CLOSE)
        automatic = changed["verification_method"] in by_nobody
        return str(Source.AUTOMATIC if automatic else Source.STUDENT)
    undone = operations.get(event.data["undone_operation_id"])
    before = (undone.before if undone else None) or {}
    state = before.get(str(changed["student_id"]))
    return str(state["source"]) if state else event.source


def _compared(
    records: list[AttendanceRecord], rebuilt: dict[int, Payload]
) -> Iterator[str]:
    for record in records:
        told = rebuilt.pop(record.student_id, None)
        if told is None:
            yield f"no event tells of the record of student {record.student_id}"
            continue
        says = {
            "attendance_status": str(record.status),
            "check_in_time": iso_or_none(record.check_in_time),
            "late_minutes": record.late_minutes,
            "verification_method": record.verification_method,
            "override_reason": record.override_reason,
            "notes": record.notes,
            "version": record.version,
            "source": record.source,
            "id": record.pk,
        }
        for field in (*_COMPARED, "source", "id"):
            if says[field] != told[field]:
                yield (
                    f"the record of student {record.student_id} has {field} "
                    f"{says[field]!r}, its events say {told[field]!r}"
                )
    for student_id in rebuilt:
        yield f"the record of student {student_id} is gone, its events are there"
