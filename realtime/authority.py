"""Who is at the other end of a socket, and whether that still holds."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http.cookie import parse_cookie
from django.utils.crypto import constant_time_compare

from attendance import selectors
from attendance.api.authentication import user_of_token
from attendance.models import ClassSession, User


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
    # Other schemes are some proxy's, as they are for the API.
    scheme, _, token = headers.get(b"authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token=token.strip())
    if not _same_origin(headers.get(b"origin"), headers.get(b"host")):
        return None
    cookies = parse_cookie(headers.get(b"cookie", ""))
    session_key = cookies.get(settings.SESSION_COOKIE_NAME)
    return Credentials(session_key=session_key) if session_key else None


def _same_origin(origin: str | None, host: str | None) -> bool:
    """
    Whether `origin` is the site's own: scheme, host and port, and nothing else.

    The scheme is the site's as configured: behind a proxy the handshake itself does
    not tell.
    """
    if not origin or not host:
        return False
    scheme = "https" if settings.HTTPS else "http"
    port = {"http": ":80", "https": ":443"}[scheme]
    ours = f"{scheme}://{host.lower().removesuffix(port)}"
    return origin.lower().removesuffix(port) == ours


def authenticated_user(credentials: Credentials) -> User | None:
    """Whose credentials these are now: None once revoked, expired or deactivated."""
    if credentials.token is not None:
        found = user_of_token(credentials.token)
        return found[0] if found else None
    return _user_of_session(credentials.session_key)


def _user_of_session(session_key: str | None) -> User | None:
    """
    Whose log-in session this is.

    As django.contrib.auth.get_user, but read-only: that one renews a session that was
    signed with a fallback key, and the browser would never get the new cookie.
    """
    engine = importlib.import_module(settings.SESSION_ENGINE)
    session = engine.SessionStore(session_key)
    path = session.get(auth.BACKEND_SESSION_KEY)
    if path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = auth.load_backend(path).get_user(session.get(auth.SESSION_KEY))
    if not isinstance(user, User) or not user.is_active:
        return None
    signed = session.get(auth.HASH_SESSION_KEY) or ""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    valid = any(constant_time_compare(signed, known) for known in hashes)
    return user if valid else None


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
