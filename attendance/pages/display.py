"""
How Records and class sessions are put into words and clock times.

`static/js/clock.js`, `roster.js` and `board.js` do the same to what arrives live, so
that a page that has been updated equals the page after a reload.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.urls import reverse

from attendance.models import UNMARKED, Source, Status, VerificationMethod
from attendance.pages.roster_rows import SafeHtml
from attendance.payloads import COUNTED, Payload

STATUS_LABELS = {UNMARKED: "Unmarked"} | {s.value: str(s.label) for s in Status}
METHOD_LABELS = {method.value: str(method.label) for method in VerificationMethod}
SOURCE_LABELS = {
    Source.TEACHER.value: "a teacher",
    Source.ADMINISTRATOR.value: "an administrator",
}
# From arrived to still missing: the order of tiles and of the bar.
COUNT_ORDER = ("present", "late", "excused", "absent", UNMARKED)
BAR_WIDTH = 1000


def clock(at: datetime, zone: ZoneInfo, *, seconds: bool = True) -> str:
    """The time of day as HH:MM:SS, or HH:MM."""
    # As "%H:%M:%S" would, in a third of the time.
    local = at.astimezone(zone).time()
    return local.isoformat("seconds" if seconds else "minutes")


def day(at: datetime, zone: ZoneInfo) -> str:
    """The date, as in "Tue 1 Sep 2026"."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b} {local.year}"


def period(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> str:
    """From when to when; the second date only where it is another one."""
    first, last = day(starts_at, zone), day(ends_at, zone)
    start = clock(starts_at, zone, seconds=False)
    end = clock(ends_at, zone, seconds=False)
    if first == last:
        return f"{first}, {start}–{end}"
    return f"{first}, {start} – {last}, {end}"


def period_of(class_session: Payload, zone: ZoneInfo) -> str:
    """When the class session is, from its payload."""
    return period(
        datetime.fromisoformat(class_session["starts_at"]),
        datetime.fromisoformat(class_session["ends_at"]),
        zone,
    )


def late_rule(class_session: Payload, zone: ZoneInfo) -> str:
    """Until when a check-in is on time, and what comes after."""
    starts_at = datetime.fromisoformat(class_session["starts_at"])

    def after(minutes: int) -> str:
        return clock(starts_at + timedelta(minutes=minutes), zone, seconds=False)

    on_time = f"On time until {after(class_session['grace_minutes'])}"
    if not class_session["allow_late_check_in"]:
        return f"{on_time}, no check-in afterwards"
    cutoff = class_session["late_cutoff_minutes"]
    if cutoff is None:
        return f"{on_time}, late afterwards"
    return f"{on_time}, late until {after(cutoff)}"


def late_text(record: Payload) -> str:
    """How late in whole minutes, or nothing."""
    minutes = record["late_minutes"]
    return f"{minutes} min" if minutes else ""


def row(record: Payload, zone: ZoneInfo) -> dict[str, Any]:
    """A Record with the words that pages show of it."""
    at = record["check_in_time"]
    return {
        **record,
        "status_label": STATUS_LABELS[record["attendance_status"]],
        "method_label": METHOD_LABELS.get(record["verification_method"] or "", ""),
        "clock": clock(datetime.fromisoformat(at), zone) if at else "",
        "late_text": late_text(record),
    }


def rows(
    records: Iterable[Payload],
    zone: ZoneInfo,
    conflicts: Mapping[int, dict[str, Any]],
    class_session_id: int,
) -> Iterator[dict[str, Any]]:
    """What the roster's rows show; `conflicts` in words, by student id."""
    url = students_url(class_session_id)
    for record in records:
        student_id, at = record["student_id"], record["check_in_time"]
        conflict = conflicts.get(student_id)
        # One of another version is over.
        current = conflict is not None and conflict["version"] == record["version"]
        yield {
            "student_id": student_id,
            "students_url": url,
            "version": record["version"],
            "status": record["attendance_status"],
            "name": record["student_name"],
            "reason": record["override_reason"] or "",
            "notes": record["notes"],
            "status_label": STATUS_LABELS[record["attendance_status"]],
            "late": late_text(record),
            "at": at or "",
            "clock": clock(datetime.fromisoformat(at), zone) if at else "",
            "method_label": METHOD_LABELS.get(record["verification_method"], ""),
            "conflict": _conflict_html(conflict) if current else "",
        }


def students_url(class_session_id: int) -> str:
    """The pages of single students in the class session; the id and "/" follow."""
    url = reverse("class-session-student", args=[class_session_id, 0])
    return url.removesuffix("0/")


def _conflict_html(conflict: Mapping[str, Any] | None) -> SafeHtml:
    partial = "class_sessions/_conflict.html"
    return SafeHtml(render_to_string(partial, {"conflict": conflict}))


def conflict_words(
    conflict: Payload, zone: ZoneInfo, *, by_administrator: bool
) -> dict[str, Any]:
    """Both sides of a conflict in a sentence, and what may be done about it."""
    standing, said = conflict["standing"], conflict["overruled"]
    label = STATUS_LABELS[said["attendance_status"]]
    if said["source"] == Source.STUDENT:
        at = clock(datetime.fromisoformat(said["timestamp"]), zone)
        but = f"checked in as {label} at {at}"
    else:
        but = f"{said['actor']['name']} says {label}"
    standing_label = STATUS_LABELS[standing["attendance_status"]]
    by = SOURCE_LABELS[standing["source"]]
    return {
        "student_id": conflict["student_id"],
        "version": conflict["version"],
        "sentence": f"Marked {standing_label} by {by}, but {but}.",
        "keep": standing_label,
        "accept": label,
        "may_accept": by_administrator or standing["source"] != Source.ADMINISTRATOR,
    }


def blank_row(class_session_id: int) -> dict[str, Any]:
    """What the row partial is rendered with to be cloned and filled in the browser."""
    return {
        "student_id": 0,
        "students_url": students_url(class_session_id),
        "status": UNMARKED,
        "version": 0,
    }


def tiles(counts: Payload) -> list[dict[str, Any]]:
    """The counts in order, each with its segment of the bar."""
    total = max(1, sum(counts[status] for status in COUNTED))
    found, before = [], 0
    for status in COUNT_ORDER:
        start = BAR_WIDTH * before // total
        before += counts[status]
        found.append(
            {
                "status": status,
                "label": STATUS_LABELS[status],
                "number": counts[status],
                "x": start,
                "width": BAR_WIDTH * before // total - start,
            }
        )
    return found


def arrived(counts: Payload) -> int:
    """How many are here."""
    return int(counts["present"] + counts["late"])


def grouped_code(code: str | None) -> tuple[str, str]:
    """The six digits in two groups, as they are read out."""
    return (code[:3], code[3:]) if code else ("", "")


def versions(records: Iterable[Payload]) -> str:
    """What a form sends along of each record that it showed: id:version,id:version."""
    return ",".join(f"{r['student_id']}:{r['version']}" for r in records)


def operations(listed: Iterable[Payload], zone: ZoneInfo) -> list[dict[str, Any]]:
    """What was done to marks, in words."""
    return [
        {
            **operation,
            "clock": clock(datetime.fromisoformat(operation["timestamp"]), zone),
            "sentence": operation_sentence(operation),
            "by": operation_by(operation),
        }
        for operation in listed
    ]


def operation_by(operation: Payload) -> str:
    """Who did it, and why; of a closing the reason is a word of the protocol."""
    name: str = operation["actor"]["name"]
    if operation["event"] == "auto_close":
        return f"by {name}"
    return f"by {name}: {operation['reason']}"


def operation_sentence(operation: Payload) -> str:
    """What an operation did, and to whom."""
    whom = operation["student_name"] or _students(operation["student_count"])
    status = operation["new_status"]
    label = STATUS_LABELS[status] if status else ""
    if operation["event"] == "undo":
        return f"Undone for {whom}" + (f", again {label}" if label else "")
    if operation["event"] == "auto_close":
        return f"{whom} marked {label} on closing"
    return f"{whom} marked {label}"


def _students(number: int) -> str:
    return f"{number} student{'' if number == 1 else 's'}"


def bulk_sentence(marked: int, unchanged: int, left_out: int) -> str:
    """What a bulk mark did. `static/js/actions.js` says the same."""
    sentence = f"{_students(marked)} marked, {unchanged} unchanged."
    if left_out:
        sentence += (
            f" {_students(left_out)} left alone: changed meanwhile, "
            "or marked by an administrator."
        )
    return sentence


def undo_sentence(restored: int, left_out: int) -> str:
    """What an undo did. `static/js/actions.js` says the same."""
    sentence = f"Undone for {_students(restored)}."
    if left_out:
        sentence += (
            f" {_students(left_out)} left as they are: changed since, "
            "or marked by an administrator."
        )
    return sentence
