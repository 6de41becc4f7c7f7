"""From which address a request came."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """
    The client's address, as the outermost of our own proxies saw it.

    With TRUSTED_PROXIES = n the n-th entry of X-Forwarded-For from the right; what
    stands left of it was sent by the client and proves nothing.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    trusted: int = settings.TRUSTED_PROXIES
    if trusted:
        header = request.META.get("HTTP_X_FORWARDED_FOR", "")
        entries = [entry.strip() for entry in header.split(",") if entry.strip()]
        if len(entries) >= trusted:
            return str(entries[-trusted])
    return remote
