"""Refusals and faults as HTTP, in one place: `{"code", "detail", ...}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from attendance.exceptions import AttendanceError

# Where our code and DRF's differ.
_CODES = {"authentication_failed": "not_authenticated"}
_NOT_FOUND = "There is nothing here, or nothing that you may see."


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook: the answer for `error`, or None to let it surface as a 500."""
    # Errors are JSON even where the answer would have been YAML or a page.
    request = context["request"]
    request.accepted_renderer = JSONRenderer()
    request.accepted_media_type = JSONRenderer.media_type
    if isinstance(error, AttendanceError):
        body = {"code": error.code, "detail": error.detail, **error.extra}
        headers = {}
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        return Response(body, status=error.kind.value, headers=headers)
    if isinstance(error, Http404):
        error = exceptions.NotFound(_NOT_FOUND)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    # DRF's handler adds the WWW-Authenticate and Retry-After headers.
    response = drf_exception_handler(error, dict(context))
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    if isinstance(error, exceptions.ValidationError):
        response.data = _field_errors(error)
        return response
    code = str(error.get_codes())
    response.data = {"code": _CODES.get(code, code), "detail": str(error.detail)}
    return response


def _field_errors(error: exceptions.ValidationError) -> dict[str, Any]:
    detail = error.detail
    fields: dict[str, list[str]] = {}
    if isinstance(detail, Mapping):
        for name, value in detail.items():
            fields[str(name)] = _sentences(value)
    else:
        fields[api_settings.NON_FIELD_ERRORS_KEY] = _sentences(detail)
    sentences = " ".join(
        " ".join(lines)
        if name == api_settings.NON_FIELD_ERRORS_KEY
        else f"{name}: {' '.join(lines)}"
        for name, lines in fields.items()
    )
    return {"code": "invalid", "detail": sentences, "errors": fields}


def _sentences(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [line for inner in value.values() for line in _sentences(inner)]
    if isinstance(value, list | tuple):
        # Once each: a list of a thousand wrong ids has one thing wrong with it.
        return list(
            dict.fromkeys(line for inner in value for line in _sentences(inner))
        )
    # Some of the library's sentences repeat what was sent, lone surrogates and all,
    # which no answer can carry.
    return [str(value).encode(errors="replace").decode()]
