"""`auth/token/`: log in for a token, revoke it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attendance.addresses import client_address
from attendance.api.authentication import BearerAuthentication
from attendance.api.base import JSONOnly
from attendance.api.inputs import LogInInput
from attendance.api.outputs import ErrorOutput, TokenOutput
from attendance.payloads import iso
from attendance.services.attempts import count_log_in


class InvalidCredentials(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid_credentials"
    default_detail = "User name or password is wrong."


class TokenView(APIView):
    """A token for programs: it is shown once and stored as a hash."""

    metadata_class = None
    content_negotiation_class = JSONOnly

    def get_authenticators(self) -> list[BaseAuthentication]:
        # Logging in must not fail over a stale cookie or token sent along.
        if self.request is not None and self.request.method == "POST":
            return []
        return [BearerAuthentication()]

    def get_permissions(self) -> list[BasePermission]:
        anyone = self.request is not None and self.request.method == "POST"
        return [AllowAny() if anyone else IsAuthenticated()]

    @extend_schema(
        request=LogInInput,
        responses={200: TokenOutput, 400: ErrorOutput, 429: ErrorOutput},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Exchange user name and password for a token."""
        serializer = LogInInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        credentials: dict[str, Any] = serializer.validated_data
        count_log_in(credentials["username"], client_address(request), timezone.now())
        user = authenticate(request=request._request, **credentials)
        if user is None:
            raise InvalidCredentials
        stored, token = AuthToken.objects.create(user=user)
        return Response({"token": token, "expires_at": iso(stored.expiry)})

    @extend_schema(responses={204: None, 401: ErrorOutput})
    def delete(self, request: Request) -> Response:
        """Revoke the token used for this request."""
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
