"""A record's history in words."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from attendance import selectors
from attendance.models import AttendanceRecord, OverruledMark, VerificationMethod
from attendance.pages import display
from attendance.payloads import Payload, iso


def changes(record: AttendanceRecord, zone: ZoneInfo) -> list[dict[str, Any]]:
    """
    Every change of the record, the latest first: that is what one looks for.

    And in between what was said against it and changed nothing.
    """
    overruled = defaultdict(list)
    for mark in selectors.overruled_marks(record):
        overruled[mark.record_version].append(_overruled_words(mark, zone))
    listed: list[dict[str, Any]] = []
    # There is one change a version.
    for version, change in enumerate(selectors.history(record), start=1):
        listed.append(_words(change, zone))
        listed += overruled[version]
    return listed[::-1]


def _overruled_words(mark: OverruledMark, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "overruled": True,
        "timestamp": iso(mark.at),
        "when": f"{display.day(mark.at, zone)}, {display.clock(mark.at, zone)}",
        "actor_name": mark.actor.display_name,
        "new_status": mark.status,
        "new_label": display.STATUS_LABELS[mark.status],
        "method_label": display.METHOD_LABELS[mark.verification_method],
        "reason": mark.reason,
    }


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
        # Without a method it is a mark that was taken back.
        "method_label": display.METHOD_LABELS.get(
            change["verification_method"], "Undone"
        ),
        # Of a closing the reason is a word of the protocol, which the method says.
        "reason": "" if closed else change["reason"] or "",
    }
