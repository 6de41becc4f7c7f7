"""What surrounds every request: its id, its one line in the log, its duration."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import Histogram

from attendance import tracing
from attendance.addresses import client_address

logger = logging.getLogger(__name__)

ID_HEADER = "X-Request-ID"

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# No digits: a code or a token sent without a name would stand where names do.
_PARAMETER = re.compile(r"[a-z_]{1,32}")
# Anybody can send any method, and each would be a new line of the metrics.
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_REQUESTS = Histogram(
    "attendance_request_seconds",
    "Time from a request's arrival in the application to its answer.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_DATABASE = Histogram(
    "attendance_request_database_seconds",
    "Time that a request spent on its statements; commits are not in it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


class TraceMiddleware:
    """
    The outermost of all: nothing is answered without an id and a line in the log.

    The id is the proxy's `X-Request-ID` if that is one, else made here. The line names
    the route, never the path: the path of a QR code is a token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        trace = tracing.Trace(_id_of(request))
        statements = _Statements()
        token = tracing.begin(trace)
        try:
            with connection.execute_wrapper(statements):
                response = self.get_response(request)
            response[ID_HEADER] = trace.request_id
            seconds = time.perf_counter() - begun
            method = request.method if request.method in _METHODS else "other"
            route, status = route_of(request), response.status_code
            _REQUESTS.labels(method, route, status).observe(seconds)
            _DATABASE.observe(statements.seconds)
            if logger.isEnabledFor(logging.INFO):
                logger.info(
                    "%s %s %d",
                    method,
                    route,
                    status,
                    extra={
                        "method": method,
                        "route": route,
                        "status": status,
                        "parameters": _parameters_of(request),
                        "client": client_address(request),
                        "milliseconds": round(seconds * 1000, 2),
                        "statements": statements.number,
                        "database_milliseconds": round(statements.seconds * 1000, 2),
                        # Each names a row of the event table.
                        "committed": [
                            {"class_session": class_session, "revision": revision}
                            for class_session, revision in trace.committed
                        ],
                    },
                )
            return response
        finally:
            tracing.end(token)


class _Statements:
    """Django's hook around each SQL statement: counts them and their seconds."""

    def __init__(self) -> None:
        self.number = 0
        self.seconds = 0.0

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(*args)
        finally:
            self.number += 1
            self.seconds += time.perf_counter() - begun


def _id_of(request: HttpRequest) -> str:
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


def route_of(request: HttpRequest) -> str:
    """The URL pattern that the request matched: of few kinds, and without secrets."""
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    if request.path_info.startswith(settings.STATIC_URL):
        return settings.STATIC_URL
    return "none"


def _parameters_of(request: HttpRequest) -> list[str]:
    """The names in the query, without their values."""
    query = request.META.get("QUERY_STRING", "")
    if not query:
        return []
    # A query that the application would refuse is no fault here.
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    return sorted(name for name in names if _PARAMETER.fullmatch(name))
