"""What every page may ask, and few do."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from attendance.models import User
from attendance.pages import selectors


def header(request: HttpRequest) -> dict[str, Callable[[], bool]]:
    """For the links above each page; asked only by a page that calls it."""

    def is_teacher() -> bool:
        user: User | AnonymousUser = request.user
        return isinstance(user, User) and selectors.is_teacher(user)

    return {"is_teacher": is_teacher}
