"""The stored facts. Everything that changes them is in `attendance.services`."""

from attendance.models.attempts import FailedCheckIn, LogInAttempt
from attendance.models.class_session import ClassSession, State
from attendance.models.course import Course, CourseTeacher, Enrollment, Role
from attendance.models.event import AttendanceEvent, MessageType
from attendance.models.idempotency import IdempotentRequest
from attendance.models.overruled import OverruledMark
from attendance.models.record import (
    RECORD_STATUSES,
    UNMARKED,
    AttendanceRecord,
    Source,
    Status,
    VerificationMethod,
)
from attendance.models.user import User

__all__ = [
    "RECORD_STATUSES",
    "UNMARKED",
    "AttendanceEvent",
    "AttendanceRecord",
    "ClassSession",
    "Course",
    "CourseTeacher",
    "Enrollment",
    "FailedCheckIn",
    "IdempotentRequest",
    "LogInAttempt",
    "MessageType",
    "OverruledMark",
    "Role",
    "Source",
    "State",
    "Status",
    "User",
    "VerificationMethod",
]
