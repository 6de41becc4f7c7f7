"""
Refusals: what the domain answers when it does not do as asked.

Each has the contract's `code`, a `kind`, and a sentence for the person concerned; each
face turns them into its answers in one place. They are answers, not faults.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any


class Kind(enum.IntEnum):
    """What sort of refusal, as the HTTP status that says so (RFC 9110, RFC 6585)."""

    INVALID = 400
    FORBIDDEN = 403
    NOT_FOUND = 404
    CONFLICT = 409
    UNPROCESSABLE = 422
    THROTTLED = 429


class AttendanceError(Exception):
    """
    A refusal. `extra` goes into the answer beside code and detail.

    `retry_after`: seconds after which the same may be tried again, where that helps.
    """

    code = "invalid"
    kind = Kind.INVALID
    detail = "The request could not be understood."
    retry_after: int | None = None

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        self.detail = detail or type(self).detail
        self.extra: Mapping[str, Any] = extra
        super().__init__(self.detail)


class InvalidInputError(AttendanceError):
    """Fields that do not make sense, each with its sentences."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        # Once each: two fields may have the same thing wrong with them.
        sentences = dict.fromkeys(line for lines in errors.values() for line in lines)
        super().__init__(" ".join(sentences), errors=dict(errors))


class InvalidFormatError(AttendanceError):
    code = "invalid_format"
    detail = "A verification code has six digits."


class InvalidTokenError(AttendanceError):
    code = "invalid_token"
    detail = "This QR code is not one of ours. Scan the code shown in class."


class ExpiredTokenError(AttendanceError):
    code = "expired_token"
    detail = "This QR code has been replaced by a newer one. Scan again."


class InvalidCodeError(AttendanceError):
    code = "invalid_code"
    kind = Kind.NOT_FOUND
    detail = "No open class session has this code. Check the digits shown in class."


class NotFoundError(AttendanceError):
    code = "not_found"
    kind = Kind.NOT_FOUND
    detail = "There is nothing here, or nothing that you may see."


class PermissionDeniedError(AttendanceError):
    code = "permission_denied"
    kind = Kind.FORBIDDEN
    detail = "You may not do this."


class NotEnrolledError(AttendanceError):
    code = "not_enrolled"
    kind = Kind.FORBIDDEN
    detail = "You are not enrolled in this course. Ask your teacher to add you."


class TooEarlyError(AttendanceError):
    code = "too_early"
    kind = Kind.FORBIDDEN
    detail = "Check-in has not begun yet. Try again shortly before class."


class CheckInClosedError(AttendanceError):
    code = "check_in_closed"
    kind = Kind.FORBIDDEN
    detail = "It is too late to check in by yourself. Ask your teacher."


class SessionNotOpenError(AttendanceError):
    code = "session_not_open"
    kind = Kind.CONFLICT
    detail = "This class session is not open."


class InvalidStateError(AttendanceError):
    code = "invalid_state"
    kind = Kind.CONFLICT
    detail = "The class session is not in a state that allows this."


class VersionConflictError(AttendanceError):
    code = "version_conflict"
    kind = Kind.CONFLICT
    detail = "The record has changed since you saw it. Look at it again."


class OverruledError(AttendanceError):
    code = "overruled"
    kind = Kind.CONFLICT
    detail = "An administrator has set this mark. Only an administrator can change it."


class NoConflictError(AttendanceError):
    code = "no_conflict"
    kind = Kind.CONFLICT
    detail = "There is no conflict to settle here any more."


class NotUndoableError(AttendanceError):
    code = "not_undoable"
    kind = Kind.CONFLICT
    detail = "Only overrides and bulk marks can be undone."


class AlreadyUndoneError(AttendanceError):
    code = "already_undone"
    kind = Kind.CONFLICT
    detail = "This has been undone already."


class EditWindowClosedError(AttendanceError):
    code = "edit_window_closed"
    kind = Kind.CONFLICT
    detail = "It is too late to undo this. Override the marks instead."


class LastOwnerError(AttendanceError):
    code = "last_owner"
    kind = Kind.CONFLICT
    detail = "A course keeps at least one owner. Appoint another one first."


class TooManyAttemptsError(AttendanceError):
    """`retry_after`: seconds until the next attempt is looked at."""

    code = "too_many_attempts"
    kind = Kind.THROTTLED
    detail = "Too many wrong codes. Wait a few minutes or ask your teacher."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class LogInThrottledError(TooManyAttemptsError):
    code = "throttled"
    detail = "Too many log-in attempts. Wait a minute and try again."


class MalformedKeyError(AttendanceError):
    detail = "An Idempotency-Key has 1 to 255 printable ASCII characters."


class RequestInProgressError(AttendanceError):
    code = "request_in_progress"
    kind = Kind.CONFLICT
    detail = "The first request with this key is still running. Try again in a moment."
    retry_after = 1


class KeyReusedError(AttendanceError):
    code = "idempotency_key_reused"
    kind = Kind.UNPROCESSABLE
    detail = "This key was sent with another request before. Use a new key for each."
