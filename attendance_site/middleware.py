"""What every HTTP request passes before the application sees it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from attendance_site.errors import error_response


class RequestGuardMiddleware:
    """
    Answers what no view should have to think of.

    413 to a body over MAX_REQUEST_BYTES, before anything reads it; 400 to a NUL in the
    query string, which means nothing to us and which PostgreSQL refuses as text.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return error_response(request, 400, "invalid")
        if length > settings.MAX_REQUEST_BYTES:
            return error_response(request, 413, "too_large")
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query or "\0" in query:
            return error_response(request, 400, "invalid")
        return self.get_response(request)
