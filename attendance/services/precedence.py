"""
Precedence, in one place: administrator > teacher > student > automatic.

Whoever is about to change a claimed record asks `is_overruled`. What a weaker source
said is kept beside the record, which stands as it was; `selectors.open_conflicts` tells
the teachers, and any later change of the record has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attendance import events, rules
from attendance.models import (
    AttendanceRecord,
    OverruledMark,
    Source,
    User,
    VerificationMethod,
)


def is_overruled(record: AttendanceRecord, source: Source) -> bool:
    """Whether the record bears a mark that `source` is too weak to replace."""
    return not rules.may_replace(source, Source(record.source))


def has_said(record: AttendanceRecord, actor: User) -> bool:
    """Whether something that `actor` said of the record as it is has been kept."""
    return OverruledMark.objects.filter(
        record=record, record_version=record.version, actor=actor
    ).exists()


def keep_overruled(
    records: Sequence[AttendanceRecord],
    *,
    actor: User,
    source: Source,
    status: str,
    method: VerificationMethod,
    reason: str,
    at: datetime,
) -> None:
    """
    Keep what `actor` said of these records, which are locked and stay as they are.

    Saying the same again is nothing new.
    """
    said = {
        (mark.record_id, mark.record_version): mark.status
        for mark in OverruledMark.objects.filter(
            record__in=records, actor=actor
        ).order_by("pk")
    }
    new = [
        OverruledMark(
            record=record,
            record_version=record.version,
            class_session_id=record.class_session_id,
            actor=actor,
            source=source,
            status=status,
            verification_method=method,
            reason=reason,
            at=at,
        )
        for record in records
        if said.get((record.pk, record.version)) != status
    ]
    if new:
        OverruledMark.objects.bulk_create(new)
        events.announce_beside_messages(new[0].class_session_id)
