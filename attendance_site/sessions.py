"""Log-in sessions in the database."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    """
    Django's store, which looks up only keys that it could have made.

    A cookie may hold anything, a NUL for one, which PostgreSQL refuses with an error.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()
