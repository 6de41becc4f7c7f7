"""Refusals as pages, in one place; and who may ask for a page at all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from attendance.exceptions import AttendanceError, Kind, TooManyAttemptsError
from attendance.models import User

View = Callable[..., HttpResponseBase]

# Which argument of a view names the page that it belongs to.
_PAGE_OF = {"course": "course_id", "class-session": "class_session_id"}


def person(request: HttpRequest) -> User:
    """Who is logged in: the only source of who acts."""
    return cast(User, request.user)


def with_retry_after(
    response: HttpResponse, error: AttendanceError | None
) -> HttpResponse:
    """Say when to try again, where the refusal knows."""
    if isinstance(error, TooManyAttemptsError):
        response["Retry-After"] = str(error.retry_after)
    return response


def refusal(
    request: HttpRequest, error: AttendanceError, **context: Any
) -> HttpResponse:
    """The page that says why not. `context`: `next_url` and `next_label`."""
    status = error.kind.value
    response = render(
        request,
        "errors/error.html",
        {"status": status, "code": error.code, "detail": error.detail, **context},
        status=status,
    )
    return with_retry_after(response, error)


def page(view: View) -> View:
    """A page for people who have logged in; a refusal becomes an error page."""

    @never_cache
    @login_required
    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except AttendanceError as error:
            return refusal(request, error)

    return wrapper


def action(back: str) -> Callable[[View], View]:
    """
    The target of a form on the page named `back`, to which it returns.

    What cannot be done as asked is said there; what the person may not see or do at
    all is an error page. Whoever has been logged out meanwhile comes back to the page
    after logging in, not to an address that takes no GET.
    """

    def decorate(view: View) -> View:
        @never_cache
        @require_POST
        @functools.wraps(view)
        def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            argument = _PAGE_OF[back]
            url = reverse(back, kwargs={argument: kwargs[argument]})
            if not request.user.is_authenticated:
                return redirect_to_login(url)
            try:
                done = view(request, **kwargs)
            except AttendanceError as error:
                if error.kind not in (Kind.INVALID, Kind.CONFLICT):
                    return refusal(request, error, next_url=url, next_label="Back")
                messages.error(request, error.detail)
                return redirect(url)
            return done

        return wrapper

    return decorate
