"""The one way to check in, by QR token or by verification code."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from attendance import codes, events, metrics, rules, selectors
from attendance.exceptions import (
    CheckInClosedError,
    ExpiredTokenError,
    InvalidCodeError,
    InvalidFormatError,
    InvalidTokenError,
    NotEnrolledError,
    SessionNotOpenError,
    TooEarlyError,
)
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    MessageType,
    Source,
    User,
    VerificationMethod,
)
from attendance.payloads import Payload, record_payload
from attendance.selectors import Situation
from attendance.services import precedence
from attendance.services.attempts import (
    budget_used_up,
    count_failed_check_in,
    require_check_in_budget,
)
from attendance.services.records import (
    SessionMovedError,
    claim_record,
    judged_again,
    save_unless_moved,
)


@dataclasses.dataclass(frozen=True, slots=True)
class CheckIn:
    """The outcome: the record, and whether it stood before this check-in."""

    record: Payload
    already_checked_in: bool


@metrics.count_check_ins("qr_code")
def check_in_by_token(
    *, student: User, token: str, at: datetime | None = None
) -> CheckIn:
    """
    Check `student` in with the token of a QR code.

    Raises, in this order: TooManyAttemptsError, InvalidTokenError, ExpiredTokenError,
    NotEnrolledError, SessionNotOpenError, TooEarlyError, CheckInClosedError.
    """
    at = at or timezone.now()
    try:
        claims = codes.read_token(token)
    except InvalidTokenError:
        require_check_in_budget(student, at)
        # Nothing at all is a slip of some scanner; anything else may be a forgery.
        if token.strip():
            count_failed_check_in(student, at)
        raise

    def find() -> Situation:
        found = selectors.situation_by_id(student, claims.class_session_id, at)
        if found is None:
            require_check_in_budget(student, at)
            raise ExpiredTokenError
        _require_budget(found, at)
        if found.class_session.code_generation != claims.generation:
            raise ExpiredTokenError
        return found

    return _check_in(student, VerificationMethod.QR_CODE, find, at)


@metrics.count_check_ins("verification_code")
def check_in_by_code(
    *, student: User, code: str, at: datetime | None = None
) -> CheckIn:
    """
    Check `student` in with the six digits shown in class.

    Raises, in this order: TooManyAttemptsError, InvalidFormatError, InvalidCodeError,
    NotEnrolledError, TooEarlyError, CheckInClosedError.
    """
    at = at or timezone.now()
    try:
        digits = codes.normalize_verification_code(code)
    except InvalidFormatError:
        require_check_in_budget(student, at)
        raise

    def find() -> Situation:
        found = selectors.situation_by_code(student, digits, at)
        if found is None:
            count_failed_check_in(student, at)
            raise InvalidCodeError
        _require_budget(found, at)
        return found

    return _check_in(student, VerificationMethod.VERIFICATION_CODE, find, at)


def _require_budget(situation: Situation, at: datetime) -> None:
    if situation.budget_used_at is not None:
        raise budget_used_up(situation.budget_used_at, at)


@judged_again
def _check_in(
    student: User,
    method: VerificationMethod,
    find: Callable[[], Situation],
    at: datetime,
) -> CheckIn:
    situation = find()
    class_session, standing = situation.class_session, situation.record
    if not situation.enrolled:
        raise NotEnrolledError
    if not class_session.is_open:
        raise SessionNotOpenError
    if standing is not None and standing.is_checked_in:
        if precedence.is_overruled(standing, Source.STUDENT):
            _object(class_session, student, method, standing, at)
        return _outcome(class_session, student, standing, already=True)
    # Judged before any lock is taken: a refusal costs the others nothing.
    status, minutes = rules.judge_check_in(class_session, at)
    record = standing or AttendanceRecord(
        class_session=class_session, student=student, status=UNMARKED
    )
    old_status = record.status
    record.status = status
    record.late_minutes = minutes
    record.check_in_time = at
    record.verification_method = method
    record.source = Source.STUDENT
    record.override_reason = None
    record.version += 1
    return _write(class_session, student, record, old_status, at)


def _object(
    class_session: ClassSession,
    student: User,
    method: VerificationMethod,
    standing: AttendanceRecord,
    at: datetime,
) -> None:
    """Keep a check-in that speaks against the mark that somebody else has set."""
    try:
        status, _ = rules.judge_check_in(class_session, at)
    except (TooEarlyError, CheckInClosedError):
        return  # It says nothing about who is here when it counts.
    if not rules.contradicts(status, standing.status, by_check_in=True):
        return
    if precedence.has_said(standing, student):
        return
    with transaction.atomic():
        record = claim_record(class_session, student.pk)
        if record.version != standing.version:
            raise SessionMovedError
        precedence.keep_overruled(
            [record],
            actor=student,
            source=Source.STUDENT,
            status=status,
            method=method,
            reason="",
            at=at,
        )


@transaction.atomic
def _write(
    class_session: ClassSession,
    student: User,
    record: AttendanceRecord,
    old_status: str,
    at: datetime,
) -> CheckIn:
    # Somebody may have been faster: this student on another device, or a teacher,
    # against whose mark there may be something to say.
    if not save_unless_moved(record):
        raise SessionMovedError
    if events.next_revision(class_session, unmoved=True) is None:
        raise SessionMovedError
    events.append(
        class_session,
        type=MessageType.STUDENT_JOINED,
        data=events.changed_record(
            record,
            class_session=class_session,
            student=student,
            old_status=old_status,
            at=at,
        ),
        actor=student,
        source=Source.STUDENT,
        at=at,
        student_id=student.pk,
    )
    return _outcome(class_session, student, record, already=False)


def _outcome(
    class_session: ClassSession,
    student: User,
    record: AttendanceRecord,
    *,
    already: bool,
) -> CheckIn:
    return CheckIn(
        record=record_payload(record, class_session=class_session, student=student),
        already_checked_in=already,
    )
