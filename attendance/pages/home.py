"""The front page, wherever this person's work is; and the site's icon."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static

from attendance.pages import selectors
from attendance.pages.refusals import page, person


@page
def home(request: HttpRequest) -> HttpResponse:
    return redirect("courses" if selectors.is_teacher(person(request)) else "me")


def icon(request: HttpRequest) -> HttpResponse:
    """For pages that name no icon, such as the admin's: browsers ask here."""
    return redirect(static("img/favicon.svg"))
