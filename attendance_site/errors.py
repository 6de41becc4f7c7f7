"""Errors outside any view of ours: JSON below /api/, a page everywhere else."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

_SENTENCES = {
    "invalid": "The request could not be understood.",
    "csrf_failed": "The form has expired or came from elsewhere. "
    "Go back, reload the page and send it again.",
    "permission_denied": "You may not do this.",
    "not_found": "There is nothing here, or nothing that you may see.",
    "too_large": "The request is too large.",
    "server_error": "Something went wrong on our side. Nothing was changed.",
}


def error_response(request: HttpRequest, status: int, code: str) -> HttpResponse:
    """The answer for `code`: never an exception's text."""
    detail = _SENTENCES[code]
    if request.path_info.startswith("/api/"):
        return JsonResponse({"code": code, "detail": detail}, status=status)
    # Rendered without the request: its context processors read the session, and the
    # database may be the very thing that failed.
    html = render_to_string(
        "errors/error.html", {"status": status, "code": code, "detail": detail}
    )
    return HttpResponse(html, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 400, "invalid")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 403, "permission_denied")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 404, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    return error_response(request, 500, "server_error")


def csrf_failure(request: HttpRequest, reason: str = "", **_: Any) -> HttpResponse:
    return error_response(request, 403, "csrf_failed")
