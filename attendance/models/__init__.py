"""The stored facts. Everything that changes them is in `attendance.services`."""

from attendance.models.attempts import FailedCheckIn, LogInAttempt
from attendance.models.class_session import ClassSession, State
from attendance.models.course import Course, CourseTeacher, Enrollment, Role
from attendance.models.event import AttendanceEvent, MessageType
from attendance.models.idempotency import IdempotentRequest
from attendance.models.record import (
    UNMARKED,
    AttendanceRecord,
    Status,
    VerificationMethod,
)
from attendance.models.user import User

__all__ = [
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
    "Role",
    "State",
    "Status",
    "User",
    "VerificationMethod",
]
