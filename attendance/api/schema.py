"""What the OpenAPI document cannot find out: the errors, the two ways to log in."""

from __future__ import annotations

from typing import Any

import drf_spectacular.openapi
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object

from attendance.api.outputs import ErrorOutput


class AutoSchema(drf_spectacular.openapi.AutoSchema):
    """Every operation may be refused, and a refusal has one shape."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            schema = self.resolve_serializer(ErrorOutput(), "response").ref
            operation["responses"]["default"] = {
                "description": "Refused: `code` says why.",
                "content": {"application/json": {"schema": schema}},
            }
        return operation


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "attendance.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scheme: dict[str, Any] = build_bearer_security_scheme_object(
            header_name="Authorization", token_prefix="Bearer"
        )
        return scheme


class BrowserSessionScheme(OpenApiAuthenticationExtension):
    target_class = "attendance.api.authentication.BrowserSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Changes also need the CSRF token as X-CSRFToken.",
        }
