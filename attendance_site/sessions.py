"""Log-in sessions in the database."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from attendance import rows


class SessionStore(DatabaseStore):
    """
    Django's store, which looks up only keys that it could have made.

    A cookie may hold anything, a NUL for one, which PostgreSQL refuses with an error.
    Every request of a browser begins with this look-up, so it does without the ORM.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()

    def _get_session_from_db(self) -> Session | None:
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        found = rows.first(
            Session,
            "r.session_key = %s AND r.expire_date > %s",
            [self.session_key, now],
        )
        if found is None:
            self._session_key = None
        return found
