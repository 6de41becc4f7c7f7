"""Sentences that more than one face says."""

from __future__ import annotations

from attendance.payloads import Payload


def check_in_message(record: Payload, *, already_checked_in: bool) -> str:
    """What a check-in did, in a sentence for the student."""
    name = record["class_name"]
    if already_checked_in:
        if record["is_manual_override"]:
            return f"Your teacher has already marked you for {name}."
        return f"You were already checked in to {name}."
    if record["is_late"]:
        minutes = record["late_minutes"]
        if not minutes:
            return f"You are checked in to {name}, less than a minute late."
        plural = "" if minutes == 1 else "s"
        return f"You are checked in to {name}, {minutes} minute{plural} late."
    return f"You are checked in to {name}, on time."
