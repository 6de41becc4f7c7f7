"""Checking in: the code form, and the page behind the QR code."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from attendance.exceptions import AttendanceError
from attendance.pages.refusals import (
    page,
    person,
    refusal,
    with_retry_after,
)
from attendance.services.check_in import CheckIn, check_in_by_code, check_in_by_token
from attendance.wording import check_in_message


@page
@require_http_methods(["GET", "HEAD", "POST"])
def by_code(request: HttpRequest) -> HttpResponse:
    """The form for the six digits."""
    error = None
    code = request.POST.get("verification_code", "")
    if request.method == "POST":
        try:
            return _result(
                request, check_in_by_code(student=person(request), code=code)
            )
        except AttendanceError as refused:
            error = refused
    response = render(
        request,
        "check_in/code.html",
        {"error": error, "code": code[:20]},
        status=error.kind.value if error else 200,
    )
    return with_retry_after(response, error)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def by_token(request: HttpRequest, token: str) -> HttpResponse:
    """
    Behind the QR code. Only the POST checks in.

    Previews, prefetching and virus scanners follow links; nobody may be checked in
    by that. A small script sends the form as soon as a person looks at the page.
    """
    if request.method != "POST":
        return render(request, "check_in/token.html")
    try:
        return _result(request, check_in_by_token(student=person(request), token=token))
    except AttendanceError as error:
        return refusal(
            request,
            error,
            next_url=reverse("check-in"),
            next_label="Type the six-digit code instead",
        )


def _result(request: HttpRequest, outcome: CheckIn) -> HttpResponse:
    sentence = check_in_message(
        outcome.record, already_checked_in=outcome.already_checked_in
    )
    messages.success(request, sentence)
    return redirect("own-record", record_id=outcome.record["id"])
