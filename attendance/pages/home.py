"""The front page: wherever this person's work is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from attendance.pages import selectors
from attendance.pages.refusals import page, person


@page
def home(request: HttpRequest) -> HttpResponse:
    return redirect("courses" if selectors.is_teacher(person(request)) else "me")
