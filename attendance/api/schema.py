"""What the OpenAPI document cannot find out: errors, repetition, ways to log in."""

from __future__ import annotations

from typing import Any

import drf_spectacular.openapi
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiParameter

from attendance.api.idempotency import KEY_HEADER, REPLAYED_HEADER, IdempotentPosts
from attendance.api.outputs import ErrorOutput

_REPETITION = [
    OpenApiParameter(
        KEY_HEADER,
        {"type": "string", "minLength": 1, "maxLength": 255},
        OpenApiParameter.HEADER,
        description=(
            "A key of your own, such as a UUID. The same request with the same key "
            "within 24 hours gets the first answer again, refusals included, and "
            "changes nothing; 401, 429 and 5xx are not kept. While the first still "
            "runs: 409 `request_in_progress`. The key with another path, query or "
            "body: 422 `idempotency_key_reused`. Keys are per person."
        ),
    ),
    OpenApiParameter(
        REPLAYED_HEADER,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        description="Sent with an answer that was given before.",
        response=True,
    ),
]


class AutoSchema(drf_spectacular.openapi.AutoSchema):
    """Every operation may be refused, and a refusal has one shape."""

    def get_override_parameters(self) -> list[Any]:
        repeatable = self.method == "POST" and isinstance(self.view, IdempotentPosts)
        return _REPETITION if repeatable else []

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
