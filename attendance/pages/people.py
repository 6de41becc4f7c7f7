"""Who takes and who teaches a course: the forms on its page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from attendance import selectors
from attendance.exceptions import InvalidInputError
from attendance.models import User
from attendance.pages import selectors as page_selectors
from attendance.pages.forms import PersonForm, TeacherForm
from attendance.pages.refusals import action, person
from attendance.services import courses as services

UNKNOWN = "There is nobody with the user name “{}”."


@action("course")
def add_student(request: HttpRequest, course_id: int) -> HttpResponse:
    course = selectors.course_for_teacher(person(request), course_id)
    student = _person_named(request, PersonForm(request.POST))
    _, created = services.enroll_student(
        course=course, student_id=student.pk, actor=person(request)
    )
    if created:
        messages.success(request, f"{student.display_name} is now in the course.")
    else:
        messages.info(request, f"{student.display_name} was already in the course.")
    return _back_to_students(request, course_id)


@action("course")
def remove_student(
    request: HttpRequest, course_id: int, student_id: int
) -> HttpResponse:
    course = selectors.course_for_teacher(person(request), course_id)
    services.unenroll_student(
        course=course, student_id=student_id, actor=person(request)
    )
    messages.success(request, "The student has left the course. Records are kept.")
    return _back_to_students(request, course_id)


@action("course")
def add_teacher(request: HttpRequest, course_id: int) -> HttpResponse:
    course = selectors.course_for_owner(person(request), course_id)
    form = TeacherForm(request.POST)
    teacher = _person_named(request, form)
    services.add_teacher(
        course=course, user_id=teacher.pk, role=form.cleaned_data["role"]
    )
    messages.success(request, f"{teacher.display_name} now teaches this course.")
    return redirect("course", course_id=course_id)


@action("course")
def remove_teacher(request: HttpRequest, course_id: int, user_id: int) -> HttpResponse:
    course = selectors.course_for_owner(person(request), course_id)
    services.remove_teacher(course=course, user_id=user_id)
    messages.success(request, "This person no longer teaches the course.")
    if not selectors.can_teach(person(request), course_id):
        return redirect("courses")
    return redirect("course", course_id=course_id)


def _person_named(request: HttpRequest, form: PersonForm) -> User:
    if not form.is_valid():
        raise form.as_refusal()
    username = form.cleaned_data["username"]
    found = page_selectors.active_person(username)
    if found is None:
        raise InvalidInputError({"username": [UNKNOWN.format(username)]})
    return found


def _back_to_students(request: HttpRequest, course_id: int) -> HttpResponse:
    """The course's page, still searching for what was searched for."""
    url = reverse("course", kwargs={"course_id": course_id})
    search = request.POST.get("q", "")
    query = "?" + urlencode({"q": search}) if search else ""
    return redirect(f"{url}{query}#students")
