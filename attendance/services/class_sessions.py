"""The life of a class session: create, edit, open, close, reopen, rotate its code."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from attendance import codes, events, rows, selectors
from attendance.exceptions import (
    InvalidInputError,
    InvalidStateError,
    SessionNotOpenError,
)
from attendance.models import (
    UNMARKED,
    ClassSession,
    Course,
    MessageType,
    Source,
    State,
    Status,
    User,
    VerificationMethod,
)
from attendance.models.class_session import (
    MAX_CUTOFF_MINUTES,
    MAX_EARLY_MINUTES,
    MAX_GRACE_MINUTES,
)
from attendance.services.marks import (
    Mark,
    apply_mark,
    insert_marked,
    lock_course,
    read_session,
)
from attendance.services.records import lock_records

EDITABLE = (
    "title",
    "location",
    "starts_at",
    "ends_at",
    "grace_minutes",
    "early_minutes",
    "allow_late_check_in",
    "late_cutoff_minutes",
)
DEFAULT_LENGTH = timedelta(hours=1)
CLOSE_REASON = "closed"
# Times beyond these are slips of the keyboard, and sums with them could overflow.
FIRST_YEAR, LAST_YEAR = 1970, 9000
OUT_OF_RANGE = "This time is out of range."
# With 10,000 sessions open at once one try in a hundred meets a code in use.
CODE_TRIES = 50


@transaction.atomic
def create_class_session(
    *,
    course: Course,
    actor: User,
    open_now: bool = False,
    at: datetime | None = None,
    **fields: Any,
) -> ClassSession:
    """
    Plan a class session, or start one with `open_now`, and return it.

    `fields` are those of EDITABLE; it starts now and lasts an hour unless they say
    otherwise. Raises InvalidInputError.
    """
    at = at or timezone.now()
    class_session = ClassSession(course=course, **_only_editable(fields))
    if class_session.starts_at is None:
        class_session.starts_at = at
    if class_session.ends_at is None:
        try:
            class_session.ends_at = class_session.starts_at + DEFAULT_LENGTH
        except OverflowError:
            raise InvalidInputError({"starts_at": [OUT_OF_RANGE]}) from None
    _validate(class_session)
    if open_now:
        # No enrollment may come or go between the snapshot and the first message.
        lock_course(class_session)
    class_session.save()
    if open_now:
        _open(class_session, "opened", actor, at)
    return class_session


@transaction.atomic
def edit_class_session(
    *, class_session: ClassSession, actor: User, **fields: Any
) -> ClassSession:
    """Change fields of EDITABLE. Records keep what was judged before."""
    at = timezone.now()
    current = _locked(class_session)
    changes = {
        name: value
        for name, value in _only_editable(fields).items()
        if getattr(current, name) != value
    }
    for name, value in changes.items():
        setattr(current, name, value)
    _validate(current)
    if changes:
        current.edition += 1
        current.save(update_fields=[*changes, "edition"])
        _announce(current, "edited", actor, at)
    return current


@transaction.atomic
def open_class_session(
    *, class_session: ClassSession, actor: User, at: datetime | None = None
) -> ClassSession:
    """Open a scheduled class session. Open already: nothing changes."""
    return _open_from(State.SCHEDULED, "opened", class_session, actor, at)


@transaction.atomic
def reopen_class_session(
    *, class_session: ClassSession, actor: User, at: datetime | None = None
) -> ClassSession:
    """Open a closed class session again, with a new code. Open: nothing changes."""
    return _open_from(State.CLOSED, "reopened", class_session, actor, at)


@transaction.atomic
def close_class_session(
    *, class_session: ClassSession, actor: User, at: datetime | None = None
) -> ClassSession:
    """
    Close an open class session; who is still unmarked becomes absent.

    Check-ins under way are waited for: each is either on the record before the
    closing or refused after it. Closed already: nothing changes. Raises
    InvalidStateError when it was never opened.
    """
    at = at or timezone.now()
    lock_course(class_session)
    current = read_session(class_session)
    if current.state == State.CLOSED:
        return current
    if current.state == State.SCHEDULED:
        raise InvalidStateError("This class session has not been opened yet.")
    # The course lock holds off enrollments and undos: nobody becomes unmarked now.
    standing = selectors.standing(current)
    mark = Mark(Status.ABSENT, VerificationMethod.AUTO_CLOSE, Source.AUTOMATIC, at=at)
    new = {
        pk: name for pk, name in standing.names.items() if pk not in standing.statuses
    }
    taken_back = [pk for pk, status in standing.statuses.items() if status == UNMARKED]
    changed = insert_marked(current, new, mark)
    if taken_back:
        claimed = lock_records(current, taken_back).values()
        absent = [record for record in claimed if record.is_unmarked]
        changed |= apply_mark(current, absent, standing.names, mark)

    if changed:
        operation_id = uuid.uuid4()
        events.next_revision(current)
        events.append(
            current,
            type=MessageType.ATTENDANCE_UPDATE,
            data=events.bulk_data(
                "auto_close",
                operation="mark_absent",
                operation_id=str(operation_id),
                records=[changed[pk][1] for pk in standing.names if pk in changed],
                unchanged_count=0,
                failed_count=0,
                reason=CLOSE_REASON,
                actor=actor,
            ),
            actor=actor,
            source=Source.AUTOMATIC,
            at=at,
            operation_id=operation_id,
        )
    closed = _ended(current)
    _tell(closed, "closed", actor, at)
    return closed


@transaction.atomic
def rotate_verification_code(
    *, class_session: ClassSession, actor: User, at: datetime | None = None
) -> ClassSession:
    """Replace code and QR tokens; the old ones are refused from now on."""
    at = at or timezone.now()
    current = _locked(class_session)
    if not current.is_open:
        raise SessionNotOpenError
    _renew_codes(current)
    _announce(current, "code_rotated", actor, at)
    return current


def _open_from(
    state: State,
    event: str,
    class_session: ClassSession,
    actor: User,
    at: datetime | None,
) -> ClassSession:
    at = at or timezone.now()
    lock_course(class_session)
    current = _locked(class_session)
    if current.is_open:
        return current
    if current.state != state:
        raise InvalidStateError(
            "A closed class session is reopened, not opened."
            if current.state == State.CLOSED
            else "This class session has not been opened yet."
        )
    _open(current, event, actor, at)
    return current


def _open(class_session: ClassSession, event: str, actor: User, at: datetime) -> None:
    class_session.state = State.OPEN
    _renew_codes(class_session)
    _announce(class_session, event, actor, at)


def _renew_codes(class_session: ClassSession) -> None:
    """A new code that no open session has, and a new generation of tokens."""
    before = class_session.verification_code
    class_session.code_generation += 1
    for attempt in range(CODE_TRIES):
        code = codes.new_verification_code()
        if code == before:
            continue
        class_session.verification_code = code
        try:
            with transaction.atomic():
                class_session.save(
                    update_fields=["state", "verification_code", "code_generation"]
                )
            return
        except IntegrityError:
            if attempt == CODE_TRIES - 1:
                raise


def _ended(class_session: ClassSession) -> ClassSession:
    """
    The class session, closed, as it is now: somebody may have edited it since.

    Takes its next revision, all in one statement: check-ins wait for each.
    """
    table = rows.table(ClassSession)
    statement = f"""
        UPDATE {table}
        SET state = %s, verification_code = NULL, revision = revision + 1
        WHERE id = %s RETURNING {rows.columns(ClassSession, table)}
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [State.CLOSED.value, class_session.pk])
        closed = rows.instance(ClassSession, cursor.fetchone())
    # Which is locked.
    closed.course = class_session.course
    return closed


def _announce(
    class_session: ClassSession, event: str, actor: User, at: datetime
) -> None:
    events.next_revision(class_session)
    _tell(class_session, event, actor, at)


def _tell(class_session: ClassSession, event: str, actor: User, at: datetime) -> None:
    counts = selectors.counts_of([class_session])[class_session.pk]
    events.append(
        class_session,
        type=MessageType.SESSION_UPDATE,
        data=events.session_data(event, class_session, counts),
        actor=actor,
        at=at,
    )


def _locked(class_session: ClassSession) -> ClassSession:
    return (
        ClassSession.objects.select_related("course")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=class_session.pk)
    )


def _only_editable(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = fields.keys() - set(EDITABLE)
    if unknown:
        raise TypeError(f"not fields of a class session: {sorted(unknown)}")
    return fields


def _validate(class_session: ClassSession) -> None:
    errors: dict[str, list[str]] = {}
    for name in ("starts_at", "ends_at"):
        if not FIRST_YEAR <= getattr(class_session, name).year <= LAST_YEAR:
            errors[name] = [OUT_OF_RANGE]
    for name, most in (
        ("grace_minutes", MAX_GRACE_MINUTES),
        ("early_minutes", MAX_EARLY_MINUTES),
        ("late_cutoff_minutes", MAX_CUTOFF_MINUTES),
    ):
        value = getattr(class_session, name)
        if value is not None and not 0 <= value <= most:
            errors[name] = [f"Use a number of minutes from 0 to {most}."]
    if not errors and class_session.ends_at <= class_session.starts_at:
        errors["ends_at"] = ["A class session ends after it starts."]
    cutoff = class_session.late_cutoff_minutes
    if not errors and cutoff is not None and cutoff < class_session.grace_minutes:
        errors["late_cutoff_minutes"] = [
            "The cut-off cannot lie before the end of the grace period."
        ]
    if errors:
        raise InvalidInputError(errors)
