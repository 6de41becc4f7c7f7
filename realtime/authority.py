"""Who is at the other end of a socket, and whether that still holds."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http.cookie import parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from attendance import rows, selectors
from attendance.api.authentication import users_of_tokens
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


def authenticated_users(credentials: Iterable[Credentials]) -> dict[Credentials, User]:
    """
    Whose credentials these are now; revoked, expired and deactivated are left out.

    Three queries at most, however many there are.
    """
    asked = set(credentials)
    tokens = {c.token: c for c in asked if c.token is not None}
    keys = {c.session_key: c for c in asked if c.session_key is not None}
    users = {}
    if tokens:
        found = users_of_tokens(tokens)
        users.update({tokens[token]: user for token, (user, _) in found.items()})
    if keys:
        logged_in = _users_of_sessions(keys)
        users.update({keys[key]: user for key, user in logged_in.items()})
    return users


def _users_of_sessions(session_keys: Iterable[str]) -> dict[str, User]:
    """
    By key, whose log-in session it is. The sessions are in the database.

    As django.contrib.auth.get_user, but for many at once and read-only: that one
    renews a session that was signed with a fallback key, and the browser would never
    get the new cookie.
    """
    engine = importlib.import_module(settings.SESSION_ENGINE)
    # The store takes no key that it could not have made.
    keys = {engine.SessionStore(key).session_key for key in session_keys} - {None}
    model = engine.SessionStore.get_model_class()
    now, decode = timezone.now(), engine.SessionStore().decode
    sessions = {
        row.session_key: decode(row.session_data)
        for row in rows.having(model, "session_key", keys)
        if row.expire_date > now
    }
    ids = {_user_id_of(session) for session in sessions.values()} - {None}
    known = {user.pk: user for user in rows.having(User, "id", ids)}
    users = {}
    for key, session in sessions.items():
        user = known.get(_user_id_of(session))
        if user is not None and _is_logged_in(user, session):
            users[key] = user
    return users


def _user_id_of(session: dict[str, Any]) -> Any:
    """Whose log-in session it is, if anybody's."""
    return User._meta.pk.to_python(session.get(auth.SESSION_KEY))


def _is_logged_in(user: User, session: dict[str, Any]) -> bool:
    """Whether the session's log-in still holds for its user."""
    if session.get(auth.BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    if not user.is_active:
        return False
    signed = session.get(auth.HASH_SESSION_KEY) or ""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(signed, known) for known in hashes)


def watchers(
    credentials: Iterable[Credentials], class_session_id: int
) -> set[Credentials]:
    """Those of the credentials that may watch the class session now."""
    class_session = rows.first(ClassSession, "r.id = %s", [class_session_id])
    if class_session is None:
        return set()
    users = authenticated_users(credentials)
    teachers = selectors.teachers_among(users.values(), class_session.course_id)
    return {c for c, user in users.items() if user.pk in teachers}
