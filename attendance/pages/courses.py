"""Teachers' courses: list, one course, create, edit."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from attendance import selectors
from attendance.exceptions import AttendanceError, PermissionDeniedError
from attendance.models import Course
from attendance.pages import display
from attendance.pages import selectors as page_selectors
from attendance.pages.forms import CourseForm, TeacherForm
from attendance.pages.refusals import page, person
from attendance.payloads import Payload
from attendance.services import courses as services

COURSES_PER_PAGE = 30
SESSIONS_PER_PAGE = 15


@page
@require_safe
def courses(request: HttpRequest) -> HttpResponse:
    """My courses; what is open now stands out."""
    user = person(request)
    found = Paginator(
        page_selectors.courses_with_students(user), COURSES_PER_PAGE
    ).get_page(request.GET.get("page"))
    open_sessions = page_selectors.open_sessions_of(list(found.object_list))
    return render(
        request,
        "courses/list.html",
        {
            "page": found,
            "cards": [
                {
                    "course": course,
                    "open_sessions": [
                        session_words(s, course) for s in open_sessions[course.pk]
                    ],
                }
                for course in found.object_list
            ],
            "may_create": user.has_perm("attendance.add_course"),
            "takes_courses": page_selectors.takes_courses(user),
        },
    )


@page
@require_safe
def course(request: HttpRequest, course_id: int) -> HttpResponse:
    """One course: its class sessions, students and teachers."""
    user = person(request)
    found = selectors.course_for_teacher(user, course_id)
    sessions = Paginator(
        found.class_sessions.select_related("course"), SESSIONS_PER_PAGE
    ).get_page(request.GET.get("page"))
    search = request.GET.get("q", "")
    return render(
        request,
        "courses/detail.html",
        {
            "course": found,
            "owns": selectors.course_access(user, found.pk).owns,
            "page": sessions,
            "sessions": [
                session_words(payload, found)
                for payload in selectors.class_session_payloads(sessions.object_list)
            ],
            "enrollments": selectors.active_enrollments(found.pk),
            "teachers": page_selectors.teachers_of(found),
            "teacher_form": TeacherForm(),
            "search": search,
            "people": page_selectors.people_matching(search, found),
        },
    )


@page
@require_http_methods(["GET", "HEAD", "POST"])
def new_course(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if not user.has_perm("attendance.add_course"):
        raise PermissionDeniedError
    form = CourseForm(request.POST or None, initial={"time_zone": "UTC"})
    if form.is_valid():
        try:
            made = services.create_course(owner=user, **form.cleaned_data)
        except AttendanceError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{made.name} is ready. Add its students.")
            return redirect("course", course_id=made.pk)
    return form_page(request, form, heading="New course", button="Create course")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit_course(request: HttpRequest, course_id: int) -> HttpResponse:
    found = selectors.course_for_teacher(person(request), course_id)
    form = CourseForm(
        request.POST or None,
        initial={name: getattr(found, name) for name in ("name", "code", "time_zone")},
    )
    if form.is_valid():
        try:
            services.edit_course(course=found, **form.changed_fields())
        except AttendanceError as error:
            form.refuse(error)
        else:
            messages.success(request, "The course has been saved.")
            return redirect("course", course_id=course_id)
    return form_page(
        request, form, heading="Edit course", button="Save course", course=found
    )


def form_page(
    request: HttpRequest, form: Any, *, heading: str, button: str, **context: Any
) -> HttpResponse:
    """A page with one form; 400 when it was sent and did not make sense."""
    return render(
        request,
        "form.html",
        {"form": form, "heading": heading, "button": button, **context},
        status=400 if form.errors else 200,
    )


def session_words(payload: Payload, course: Course) -> dict[str, Any]:
    """A class session as lists show it."""
    return {
        **payload,
        "when": display.period_of(payload, course.zone),
        "arrived": display.arrived(payload["counts"]),
        "tiles": display.tiles(payload["counts"]),
    }
