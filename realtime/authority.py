"""Who is at the other end of a socket, and whether that still holds."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from attendance import selectors
from attendance.api.authentication import user_of_token
from attendance.models import ClassSession, User

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """What a socket was opened with; looked at again at every heartbeat."""

    token: str | None = None
    session_key: str | None = None


def credentials_of(scope: dict[str, Any]) -> Credentials | None:
    """
    The credentials of a handshake, or None where there are none to accept.

    A cookie counts only with an Origin equal to the Host: browsers send it along
    whatever page opens the socket. A Bearer header is never sent unasked.
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    authorization = headers.get(b"authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        return Credentials(token=token.strip())
    if not _same_origin(headers.get(b"origin"), headers.get(b"host")):
        return None
    cookies = parse_cookie(headers.get(b"cookie", ""))
    session_key = cookies.get(settings.SESSION_COOKIE_NAME)
    return Credentials(session_key=session_key) if session_key else None


def _same_origin(origin: str | None, host: str | None) -> bool:
    """Whether host and port are the same; the scheme may differ behind a proxy."""
    if not origin or not host:
        return False
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        ours = urlsplit(f"{parts.scheme}://{host}")
        our_port = ours.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.hostname, port) == (ours.hostname, our_port)


def authenticated_user(credentials: Credentials) -> User | None:
    """Whose credentials these are now: None once revoked, expired or deactivated."""
    if credentials.token is not None:
        found = user_of_token(credentials.token)
        return found[0] if found else None
    engine = importlib.import_module(settings.SESSION_ENGINE)
    request = HttpRequest()
    request.session = engine.SessionStore(credentials.session_key)
    user = auth.get_user(request)
    return user if isinstance(user, User) and user.is_active else None


def may_watch(credentials: Credentials, class_session_id: int) -> bool:
    """Whether these credentials may watch the class session now."""
    user = authenticated_user(credentials)
    if user is None:
        return False
    course_id = (
        ClassSession.objects.filter(pk=class_session_id)
        .values_list("course_id", flat=True)
        .first()
    )
    return course_id is not None and selectors.can_teach(user, course_id)
