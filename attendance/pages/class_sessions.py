"""The live page of a class session, and the forms that change its state."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from attendance import codes, links, selectors
from attendance.exceptions import AttendanceError
from attendance.models import ClassSession, Course, State
from attendance.pages import display
from attendance.pages.courses import form_page
from attendance.pages.forms import BulkForm, ClassSessionForm, OverrideForm
from attendance.pages.refusals import action, page, person
from attendance.pages.roster_rows import render_rows
from attendance.payloads import Payload
from attendance.services import class_sessions as services

DEFAULTS = {
    field.name: field.default
    for field in ClassSession._meta.concrete_fields
    if field.name in ("grace_minutes", "early_minutes", "allow_late_check_in")
}

OPERATIONS_SHOWN = 20

# The rows are put in when the engine is done: on the way out of its blocks it copies
# all that is in them, several times. No escaped value can look like this.
ROWS_HERE = mark_safe("<!-- rows -->")


@page
@require_safe
def class_session(request: HttpRequest, class_session_id: int) -> HttpResponse:
    """The live page: QR and code, counts, the roster as of one revision."""
    user = person(request)
    found = selectors.class_session_for_teacher(user, class_session_id)
    snapshot, state, marks = selectors.whole_snapshot(found)
    zone = found.course.zone
    # The number before the conflicts: one that comes in between is looked up again.
    newest = state.get("conflicts")
    conflicts = {
        conflict["student_id"]: display.conflict_words(
            conflict, zone, by_administrator=user.is_staff
        )
        for conflict in (selectors.open_conflicts(found.pk) if newest else ())
    }
    latest = selectors.latest_operation_events(found.pk, OPERATIONS_SHOWN)
    frame = render_to_string(
        "class_sessions/live.html",
        {
            **_board(request, found, snapshot),
            "rows": ROWS_HERE,
            "newest_overruled": newest,
            "conflict_count": len(conflicts),
            "versions": display.versions(snapshot["records"]),
            "operations": display.operations(
                selectors.operations(
                    found,
                    user,
                    latest,
                    are_all=len(latest) < OPERATIONS_SHOWN,
                    marks=marks,
                ),
                zone,
            ),
            "blank": display.blank_row(found.pk),
            "blank_conflict": {"may_accept": True},
            "blank_operation": {"is_undoable": True},
            "bulk_scopes": BulkForm.SCOPES,
            "bulk_operations": BulkForm.OPERATIONS,
            "override_form": OverrideForm(),
            "labels": {
                "statuses": display.STATUS_LABELS,
                "methods": display.METHOD_LABELS,
                "sources": display.SOURCE_LABELS,
            },
        },
        request,
    )
    above, below = frame.split(ROWS_HERE)
    rows = render_rows(display.rows(snapshot["records"], zone, conflicts, found.pk))
    return HttpResponse([above, rows, below])


@page
@require_safe
def project(request: HttpRequest, class_session_id: int) -> HttpResponse:
    """For the projector: QR, code and counts, nothing about anybody."""
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    snapshot = selectors.snapshot(found.pk)
    return render(
        request, "class_sessions/project.html", _board(request, found, snapshot)
    )


def _board(
    request: HttpRequest, found: ClassSession, snapshot: Payload
) -> dict[str, Any]:
    """
    What both pages show of the class session, as of the snapshot.

    `found` was read before it.
    """
    payload, current = snapshot["class_session"], found
    if found.revision != snapshot["revision"]:
        # Read after the snapshot: a code replaced in between shows with the newer
        # link, and the live stream corrects the code at once.
        current = ClassSession.objects.select_related("course").get(pk=found.pk)
    url = ""
    if current.is_open:
        url = request.build_absolute_uri(links.check_in_path(current))
    zone = current.course.zone
    return {
        "class_session": payload,
        "course": current.course,
        # Spares the page's head the question.
        "teaches": True,
        "revision": snapshot["revision"],
        "when": display.period_of(payload, zone),
        "late_rule": display.late_rule(payload, zone),
        "counts": payload["counts"],
        "tiles": display.tiles(payload["counts"]),
        "arrived": display.arrived(payload["counts"]),
        "bar_width": display.BAR_WIDTH,
        "code_groups": display.grouped_code(payload["verification_code"]),
        "check_in_url": url,
        "qr": codes.qr_svg(url) if url else "",
        # To be typed: without the scheme, which browsers add.
        "code_address": f"{request.get_host()}/c/",
    }


@action("course")
def start(request: HttpRequest, course_id: int) -> HttpResponse:
    """Start a class session now, with nothing but defaults."""
    course = selectors.course_for_teacher(person(request), course_id)
    started = services.create_class_session(
        course=course, actor=person(request), open_now=True
    )
    return redirect("class-session", class_session_id=started.pk)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, course_id: int) -> HttpResponse:
    """Plan a class session, or start it at once with the second button."""
    course = selectors.course_for_teacher(person(request), course_id)
    with timezone.override(course.zone):
        starts_at = timezone.now().replace(second=0, microsecond=0)
        form = ClassSessionForm(
            request.POST or None,
            initial={
                **DEFAULTS,
                "starts_at": starts_at,
                "ends_at": starts_at + services.DEFAULT_LENGTH,
            },
        )
        if form.is_valid():
            fields = {
                name: value
                for name, value in form.cleaned_data.items()
                if value is not None
            }
            try:
                planned = services.create_class_session(
                    course=course,
                    actor=person(request),
                    open_now="open" in request.POST,
                    **fields,
                )
            except AttendanceError as error:
                form.refuse(error)
            else:
                return redirect("class-session", class_session_id=planned.pk)
        return _session_form(
            request, form, course, heading="Plan a class session", button="Plan"
        )


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, class_session_id: int) -> HttpResponse:
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    with timezone.override(found.course.zone):
        form = ClassSessionForm(
            request.POST or None,
            initial={name: getattr(found, name) for name in services.EDITABLE},
        )
        if form.is_valid():
            try:
                services.edit_class_session(
                    class_session=found,
                    actor=person(request),
                    **form.changed_fields(),
                )
            except AttendanceError as error:
                form.refuse(error)
            else:
                messages.success(request, "The class session has been saved.")
                return redirect("class-session", class_session_id=found.pk)
        return _session_form(
            request,
            form,
            found.course,
            heading="Edit class session",
            button="Save",
            class_session=found,
        )


def _session_form(
    request: HttpRequest,
    form: ClassSessionForm,
    course: Course,
    *,
    heading: str,
    button: str,
    class_session: ClassSession | None = None,
) -> HttpResponse:
    return form_page(
        request,
        form,
        heading=heading,
        button=button,
        course=course,
        class_session=class_session,
        note=f"Times are those of {course.time_zone.replace('_', ' ')}.",
        open_button="" if class_session else "Start now",
    )


@action("class-session")
def open_now(request: HttpRequest, class_session_id: int) -> HttpResponse:
    """Open a scheduled class session, or a closed one again."""
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    if found.state == State.CLOSED:
        services.reopen_class_session(class_session=found, actor=person(request))
    else:
        services.open_class_session(class_session=found, actor=person(request))
    return redirect("class-session", class_session_id=class_session_id)


@action("class-session")
def close(request: HttpRequest, class_session_id: int) -> HttpResponse:
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    services.close_class_session(class_session=found, actor=person(request))
    messages.success(request, "The class session is closed.")
    return redirect("class-session", class_session_id=class_session_id)


@action("class-session")
def rotate_code(request: HttpRequest, class_session_id: int) -> HttpResponse:
    found = selectors.class_session_for_teacher(person(request), class_session_id)
    services.rotate_verification_code(class_session=found, actor=person(request))
    messages.success(request, "There is a new code. The old one no longer works.")
    return redirect("class-session", class_session_id=class_session_id)
