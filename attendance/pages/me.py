"""A student's own attendance."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from attendance import selectors
from attendance.models import AttendanceRecord, Course, User
from attendance.pages import display
from attendance.pages import selectors as page_selectors
from attendance.pages.history import changes
from attendance.pages.refusals import page, person
from attendance.payloads import COUNTED, record_payload

RECORDS_PER_PAGE = selectors.STUDENT_SNAPSHOT_RECORDS


@page
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """All own records, by course, the newest first."""
    user = person(request)
    found = Paginator(page_selectors.own_records(user), RECORDS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request,
        "me/list.html",
        {"page": found, "courses": _by_course(user, list(found.object_list))},
    )


@page
@require_safe
def own_record(request: HttpRequest, record_id: int) -> HttpResponse:
    """One own record: where, when, what, and how it came about."""
    record = selectors.record_for_history(person(request), record_id)
    if record.student_id != request.user.pk:
        # A teacher who was sent a student's link.
        return redirect(
            "class-session-student",
            class_session_id=record.class_session_id,
            student_id=record.student_id,
        )
    course = record.class_session.course
    return render(
        request,
        "me/record.html",
        {
            **_words(record, record.student),
            "course": course,
            "changes": changes(record, course.zone),
        },
    )


def _by_course(student: User, records: list[AttendanceRecord]) -> list[dict[str, Any]]:
    """A group per course: with records here first, in their order, then the rest."""
    counts = page_selectors.own_counts(student)
    groups: dict[int, dict[str, Any]] = {}

    def group_of(course: Course) -> dict[str, Any]:
        if course.pk not in groups:
            own = {**dict.fromkeys(COUNTED, 0), **counts.get(course.pk, {})}
            groups[course.pk] = {
                "course": course,
                "records": [],
                "tiles": display.tiles(own),
                "arrived": display.arrived(own),
                "total": sum(own.values()),
            }
        return groups[course.pk]

    for record in records:
        group = group_of(record.class_session.course)
        group["records"].append(_words(record, student))
    for course in page_selectors.courses_taken(student):
        group_of(course)
    return list(groups.values())


def _words(record: AttendanceRecord, student: User) -> dict[str, Any]:
    class_session = record.class_session
    zone = class_session.course.zone
    payload = record_payload(record, class_session=class_session, student=student)
    return {
        "record": display.row(payload, zone),
        "class_session": class_session,
        "when": display.period(class_session.starts_at, class_session.ends_at, zone),
    }
