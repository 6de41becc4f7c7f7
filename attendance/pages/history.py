"""A record's history in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from attendance import selectors
from attendance.models import AttendanceRecord, VerificationMethod
from attendance.pages import display
from attendance.payloads import Payload


def changes(record: AttendanceRecord, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Every change of the record, the latest first: that is what one looks for."""
    return [_words(change, zone) for change in reversed(selectors.history(record))]


def _words(change: Payload, zone: ZoneInfo) -> dict[str, Any]:
    at = datetime.fromisoformat(change["timestamp"])
    actor = change["actor"]["name"] if change["actor"] else ""
    closed = change["verification_method"] == VerificationMethod.AUTO_CLOSE
    return {
        **change,
        "when": f"{display.day(at, zone)}, {display.clock(at, zone)}",
        "actor_name": actor,
        "old_label": display.STATUS_LABELS[change["old_status"]],
        "new_label": display.STATUS_LABELS[change["new_status"]],
        "method_label": display.METHOD_LABELS[change["verification_method"]],
        # Of a closing the reason is a word of the protocol, which the method says.
        "reason": "" if closed else change["reason"] or "",
    }
