"""What the database says: the side that every screen is held against."""

from __future__ import annotations

from collections import Counter

from attendance import selectors
from attendance.models import AttendanceRecord, ClassSession, Enrollment, State
from attendance.verification import verify_class_session
from tests.live import RECORD_FIELDS, Frame, fold


def fresh(class_session_id: int) -> Frame:
    """A fresh snapshot, as a screen holds it: records by student."""
    return fold({}, selectors.snapshot(class_session_id))


def committed(class_session_id: int) -> list[Frame]:
    """All messages of a class session; asserts revisions 1 to n without holes."""
    messages = selectors.messages_after(class_session_id, 0, limit=1_000_000)
    revisions = [message["revision"] for message in messages]
    assert revisions == list(range(1, len(messages) + 1))
    assert selectors.stream_state(class_session_id)["revision"] == len(messages)
    return messages


def changed_records(message: Frame) -> list[Frame]:
    """The records that a message changed, one or many or none."""
    if message["type"] not in ("student_joined", "attendance_update"):
        return []
    data = message["data"]
    changed: list[Frame] = data.get("records", [data])
    return changed


def as_record(changed: Frame) -> Frame:
    return {field: changed[field] for field in RECORD_FIELDS}


def replayed(messages: list[Frame]) -> dict[int, Frame]:
    """Each student's record as its messages leave it, each following the one before."""
    records: dict[int, Frame] = {}
    for message in messages:
        for changed in changed_records(message):
            before = records.get(changed["student_id"])
            status, version = "unmarked", 0
            if before is not None:
                status, version = before["attendance_status"], before["version"]
            assert (changed["old_status"], changed["version"]) == (status, version + 1)
            records[changed["student_id"]] = as_record(changed)
    return records


def require_consistent(class_session_id: int) -> list[Frame]:
    """
    The messages, after asserting that the database agrees with itself.

    Revisions have no holes, every record is what its events make of it, all is sealed
    as it was written, and the counts are those of the rows.
    """
    messages = committed(class_session_id)
    snapshot = selectors.snapshot(class_session_id)
    stored = {r["student_id"]: r for r in snapshot["records"] if r["id"] is not None}
    assert stored == replayed(messages)
    assert verify_class_session(class_session_id).findings == []
    assert snapshot["class_session"]["counts"] == counted(class_session_id)
    return messages


def counted(class_session_id: int) -> dict[str, int]:
    """The counts, from the rows of records and enrollments."""
    class_session = ClassSession.objects.get(pk=class_session_id)
    rows = AttendanceRecord.objects.filter(class_session=class_session)
    statuses = dict(rows.values_list("student_id", "status"))
    if class_session.state != State.CLOSED:
        for student_id in Enrollment.objects.filter(
            course_id=class_session.course_id, ended_at__isnull=True
        ).values_list("student_id", flat=True):
            statuses.setdefault(student_id, "unmarked")
    counts = Counter(statuses.values())
    names = ("unmarked", "present", "late", "absent", "excused")
    return {"enrolled": len(statuses), **{name: counts[name] for name in names}}
