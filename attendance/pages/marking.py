"""Marks set by hand: one student's page, and the bulk form of the live page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from attendance import selectors
from attendance.exceptions import (
    AttendanceError,
    InvalidInputError,
    Kind,
    VersionConflictError,
)
from attendance.pages import display
from attendance.pages import selectors as page_selectors
from attendance.pages.forms import BulkForm, OverrideForm, SettleForm, UndoForm
from attendance.pages.history import changes
from attendance.pages.refusals import action, page, person
from attendance.services import marking
from attendance.services.conflicts import settle_conflict
from attendance.services.undo import undo_operation


@page
@require_http_methods(["GET", "HEAD", "POST"])
def student(
    request: HttpRequest, class_session_id: int, student_id: int
) -> HttpResponse:
    """One student in one class session: the mark, a form to change it, its history."""
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    status = 200
    conflict = False
    form = OverrideForm(request.POST or None)
    if form.is_valid():
        try:
            marking.override_status(
                class_session=found,
                actor=person(request),
                student_id=student_id,
                **form.cleaned_data,
            )
        except AttendanceError as error:
            if error.kind not in (Kind.INVALID, Kind.CONFLICT):
                raise
            form.refuse(error)
            status = error.kind.value
            conflict = isinstance(error, VersionConflictError)
        else:
            messages.success(request, "The mark has been saved.")
            return redirect("class-session", class_session_id=class_session_id)
    elif form.is_bound:
        status = 400

    # Read after the attempt, so that a conflict shows what it was about.
    person_shown, record, payload = page_selectors.roster_record(found, student_id)
    in_conflict = selectors.conflict_of(record) if record else None
    version = payload["version"]
    if not form.is_bound:
        form = OverrideForm(
            initial={
                "status": payload["attendance_status"],
                "reason": payload["override_reason"],
                "notes": payload["notes"],
            }
        )
    elif not conflict and "version" not in form.errors:
        # Only a conflict says what has changed: until then, what was seen is what the
        # page showed at first.
        version = form["version"].value() or ""
    return render(
        request,
        "class_sessions/student.html",
        {
            "class_session": found,
            "course": found.course,
            "when": display.period(found.starts_at, found.ends_at, found.course.zone),
            "student": person_shown,
            "record": display.row(payload, found.course.zone),
            "override_form": form,
            "version": version,
            "conflict": in_conflict
            and display.conflict_words(
                in_conflict,
                found.course.zone,
                by_administrator=person(request).is_staff,
            ),
            "changes": changes(record, found.course.zone) if record else [],
        },
        status=status,
    )


@action("class-session")
def bulk(request: HttpRequest, class_session_id: int) -> HttpResponse:
    """Mark the selected students, the unmarked ones or everybody."""
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    form = BulkForm(request.POST)
    if not form.is_valid():
        raise form.as_refusal()
    scope = form.cleaned_data["scope"]
    student_ids = None
    if scope == BulkForm.SELECTED:
        student_ids = [
            int(text)
            for text in request.POST.getlist("student_ids")
            if text.isascii() and text.isdecimal() and len(text) < 19
        ]
        if not student_ids:
            raise InvalidInputError({"student_ids": ["Select at least one student."]})
    outcome = marking.mark_in_bulk(
        class_session=found,
        actor=person(request),
        operation=form.cleaned_data["operation"],
        reason=form.cleaned_data["reason"],
        student_ids=student_ids,
        only_unmarked=scope == BulkForm.UNMARKED,
        versions=form.cleaned_data["versions"],
    )
    messages.success(
        request,
        display.bulk_sentence(
            outcome.processed_count, outcome.unchanged_count, outcome.failed_count
        ),
    )
    return redirect("class-session", class_session_id=class_session_id)


@action("class-session")
def settle(request: HttpRequest, class_session_id: int) -> HttpResponse:
    """Take one side of a conflict."""
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    form = SettleForm(request.POST)
    if not form.is_valid():
        raise form.as_refusal()
    settle_conflict(
        class_session=found, actor=person(request), **form.cleaned_data["side"]
    )
    messages.success(request, "The conflict is settled.")
    return redirect("class-session", class_session_id=class_session_id)


@action("class-session")
def undo(request: HttpRequest, class_session_id: int) -> HttpResponse:
    """Take back an override or a bulk mark."""
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    form = UndoForm(request.POST)
    if not form.is_valid():
        raise form.as_refusal()
    outcome = undo_operation(
        class_session=found,
        actor=person(request),
        operation_id=form.cleaned_data["operation_id"],
    )
    messages.success(
        request,
        display.undo_sentence(len(outcome.restored), len(outcome.not_restored)),
    )
    return redirect("class-session", class_session_id=class_session_id)
