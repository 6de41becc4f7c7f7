"""
The past of a school that was never held: class sessions as rows to be copied.

What the services would have written, row for row and with valid seals, a thousand
times faster: 24 of the 25 students of a course check in, three of them late, one is
absent on closing and excused by the teacher in the evening.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from attendance import sealing
from attendance.models import MessageType, Source, Status, VerificationMethod
from attendance.payloads import Payload, iso
from attendance.services.class_sessions import CLOSE_REASON

CLASS_SIZE = 25
RECORDS = CLASS_SIZE
# Opened, 24 check-ins, the absent one, closed, the excuse.
EVENTS = CLASS_SIZE + 3
_PUNCTUAL = 21
_REASON = "Doctor's note handed in."
_COUNTS = {
    "enrolled": CLASS_SIZE,
    **{"unmarked": 0, "present": _PUNCTUAL, "late": 3, "absent": 1, "excused": 0},
}
_NOBODY = {**dict.fromkeys(_COUNTS, 0), "enrolled": CLASS_SIZE, "unmarked": CLASS_SIZE}

# As the seal wants it, and made once: json.dumps makes an encoder for every call.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Meeting:
    """
    One class session that was held.

    `number`: which of the term's days, from 0; `first_...` are ids of its rows.
    """

    id: int
    course_id: int
    class_name: str
    number: int
    starts_at: datetime
    teacher: Person
    students: list[Person]
    first_record: int
    first_event: int

    @property
    def title(self) -> str:
        return f"Meeting {self.number + 1}"

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=1)

    def session_row(self) -> str:
        opened = self.starts_at - timedelta(minutes=10)
        return _row(
            *(self.id, self.title, "B12", self.starts_at, self.ends_at),
            *(5, 15, True, None, "closed", None, 1, 0, EVENTS, opened, self.course_id),
        )

    def record_rows(self) -> Iterator[str]:
        for number, student in enumerate(self.students):
            told = self._record(number, student, excused=True)
            yield _row(
                *(told["id"], told["attendance_status"], told["check_in_time"]),
                *(told["late_minutes"], told["verification_method"]),
                *(told["override_reason"], told["notes"], told["version"]),
                *(student.id, self.id, _source(told)),
            )

    def event_rows(self) -> Iterator[str]:
        before = sealing.GENESIS
        for revision, event in enumerate(self._events(), start=1):
            data = _canonical(event["data"])
            content = {**event, "revision": revision, "class_session_id": self.id}
            before = sealing.chained(before, _digest(content, data))
            yield _row(
                *(self.first_event + revision - 1, revision, event["type"]),
                *(event["at"], data, event["actor_id"], self.id),
                *(event["student_id"], event["before"] and _canonical(event["before"])),
                *(before, event["operation_id"], event["source"]),
            )

    def _events(self) -> Iterator[Payload]:
        teacher = self.teacher.id
        updated_by = {"id": teacher, "name": self.teacher.name}
        yield _event(
            *(MessageType.SESSION_UPDATE, teacher, Source.TEACHER),
            self.starts_at - timedelta(minutes=10),
            {"event": "opened", "class_session": self._session(1, _NOBODY)},
        )
        for number, student in enumerate(self.students[:-1]):
            at = self._arrival(number)
            data = {
                **self._record(number, student),
                "old_status": "unmarked",
                "timestamp": iso(at),
            }
            yield _event(
                *(MessageType.STUDENT_JOINED, student.id, Source.STUDENT, at, data),
                student_id=student.id,
            )
        last = self.students[-1]
        operation_id = str(uuid.UUID(int=2 * self.id, version=4))
        absent = self._record(CLASS_SIZE - 1, last)
        yield _event(
            *(MessageType.ATTENDANCE_UPDATE, teacher, Source.AUTOMATIC, self.ends_at),
            {
                "event": "auto_close",
                "operation": "mark_absent",
                "operation_id": operation_id,
                "processed_count": 1,
                "unchanged_count": 0,
                "failed_count": 0,
                "reason": CLOSE_REASON,
                "updated_by": updated_by,
                "records": [
                    {
                        **absent,
                        "old_status": "unmarked",
                        "timestamp": iso(self.ends_at),
                    }
                ],
            },
            operation_id=operation_id,
        )
        yield _event(
            *(MessageType.SESSION_UPDATE, teacher, Source.TEACHER, self.ends_at),
            {"event": "closed", "class_session": self._session(EVENTS - 1, _COUNTS)},
        )
        at = self.ends_at + timedelta(hours=8)
        excused = self._record(CLASS_SIZE - 1, last, excused=True)
        yield _event(
            *(MessageType.ATTENDANCE_UPDATE, teacher, Source.TEACHER, at),
            {
                **excused,
                "old_status": str(Status.ABSENT),
                "timestamp": iso(at),
                "event": "override",
                "new_status": excused["attendance_status"],
                "reason": _REASON,
                "updated_by": updated_by,
            },
            student_id=last.id,
            operation_id=str(uuid.UUID(int=2 * self.id + 1, version=4)),
            before={
                str(last.id): {
                    "status": absent["attendance_status"],
                    "check_in_time": None,
                    "late_minutes": 0,
                    "verification_method": absent["verification_method"],
                    "source": str(Source.AUTOMATIC),
                    "override_reason": None,
                    "notes": "",
                    "version": 1,
                }
            },
        )

    def _arrival(self, number: int) -> datetime:
        seconds = 20 * number - 240 if number < _PUNCTUAL else 400 + number
        return self.starts_at + timedelta(seconds=seconds)

    def _record(
        self, number: int, student: Person, *, excused: bool = False
    ) -> Payload:
        """What messages say of the record of the student with this number."""
        came = number < CLASS_SIZE - 1
        late = came and number >= _PUNCTUAL
        overridden = excused and not came
        if came:
            status = Status.LATE if late else Status.PRESENT
            code = number % 3 == 0
            method = (
                VerificationMethod.VERIFICATION_CODE
                if code
                else VerificationMethod.QR_CODE
            )
        elif overridden:
            status, method = Status.EXCUSED, VerificationMethod.TEACHER_OVERRIDE
        else:
            status, method = Status.ABSENT, VerificationMethod.AUTO_CLOSE
        return {
            "student_id": student.id,
            "student_name": student.name,
            "class_session_id": self.id,
            "class_name": self.class_name,
            "attendance_status": status.value,
            "check_in_time": iso(self._arrival(number)) if came else None,
            "is_late": late,
            "late_minutes": 7 if late else 0,
            "verification_method": method.value,
            "is_manual_override": overridden,
            "override_reason": _REASON if overridden else None,
            "id": self.first_record + number,
            "version": 2 if overridden else 1,
            "notes": "",
        }

    def _session(self, revision: int, counts: dict[str, int]) -> Payload:
        is_open = revision == 1
        return {
            "id": self.id,
            "course_id": self.course_id,
            "class_name": self.class_name,
            "title": self.title,
            "location": "B12",
            "starts_at": iso(self.starts_at),
            "ends_at": iso(self.ends_at),
            "state": "open" if is_open else "closed",
            "grace_minutes": 5,
            "early_minutes": 15,
            "allow_late_check_in": True,
            "late_cutoff_minutes": None,
            "verification_code": f"{self.id % 1_000_000:06}" if is_open else None,
            "revision": revision,
            "counts": counts,
        }


def _event(
    type: MessageType,
    actor_id: int,
    source: Source,
    at: datetime,
    data: Payload,
    *,
    student_id: int | None = None,
    operation_id: str | None = None,
    before: Payload | None = None,
) -> Payload:
    """All that the seal covers, but for the revision and the class session."""
    return {
        "type": type.value,
        "source": source.value,
        "actor_id": actor_id,
        "student_id": student_id,
        "at": iso(at),
        "data": data,
        "operation_id": operation_id,
        "before": before,
    }


def _digest(content: Payload, data: str) -> str:
    """`sealing.content_digest`, with the data encoded just once."""
    text = _canonical({**content, "data": 0}).replace('"data":0', f'"data":{data}', 1)
    return hashlib.sha256(text.encode()).hexdigest()


def _source(record: Payload) -> str:
    if record["is_manual_override"]:
        return Source.TEACHER.value
    return (Source.STUDENT if record["check_in_time"] else Source.AUTOMATIC).value


def _row(*values: Any) -> str:
    """A line of COPY's text format; nothing here holds a tab or a backslash."""
    return "\t".join(["\\N" if v is None else str(v) for v in values]) + "\n"
