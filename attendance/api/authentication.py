"""Who is calling: a Bearer token, or the browser's session cookie."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from typing import Any

from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from attendance import rows
from attendance.models import User


def user_of_token(token: str) -> tuple[User, AuthToken] | None:
    """The active user whose unexpired token this is, with the stored token."""
    return users_of_tokens([token]).get(token)


def users_of_tokens(tokens: Iterable[str]) -> dict[str, tuple[User, AuthToken]]:
    """
    By token, the active user whose unexpired token it is, with the stored token.

    Looked up by digests: one query, whatever number of tokens there are, and nothing
    is written (knox's own look-up deletes expired tokens as it goes).
    """
    digests = {}
    for token in tokens:
        # A lone surrogate cannot be digested, and is nobody's token.
        with contextlib.suppress(UnicodeEncodeError):
            digests[token] = hash_token(token)
    stored = _stored(digests.values())
    now = timezone.now()
    return {
        token: (found.user, found)
        for token, digest in digests.items()
        if (found := stored.get(digest)) is not None
        and found.user.is_active
        and (found.expiry is None or found.expiry > now)
    }


def _stored(digests: Collection[str]) -> dict[str, AuthToken]:
    """
    By digest, the stored tokens with their users.

    Without the ORM's compiler: every request that bears a token begins with this.
    """
    if not digests:
        return {}
    statement = f"""
        SELECT {rows.selected(t=AuthToken, u=User)}
        FROM {rows.table(AuthToken)} t
        JOIN {rows.table(User)} u ON u.id = t.user_id
        WHERE t.digest IN ({", ".join(["%s"] * len(digests))})
    """
    tokens = {}
    for token, token.user in rows.joined(statement, list(digests), AuthToken, User):
        tokens[token.digest] = token
    return tokens


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer <token>`."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        found = user_of_token(token.decode("utf-8", "replace"))
        if found is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked.")
        return found


class CSRFFailed(APIException):
    status_code = 403
    default_code = "csrf_failed"
    default_detail = (
        "The CSRF token is missing or wrong. Send the csrftoken cookie's value "
        "as the X-CSRFToken header."
    )


class BrowserSessionAuthentication(SessionAuthentication):
    """The session cookie, with a CSRF token on everything that changes something."""

    def enforce_csrf(self, request: Request) -> None:
        check = _CSRFCheck(lambda _: None)  # type: ignore[arg-type]
        check.process_request(request)
        if check.process_view(request, None, (), {}):  # type: ignore[arg-type]
            raise CSRFFailed


class _CSRFCheck(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> Any:
        return reason
