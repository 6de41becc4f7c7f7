"""The admin's own log-in page, within the same budget as every other."""

from __future__ import annotations

import functools
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from attendance.addresses import client_address
from attendance.exceptions import LogInThrottledError
from attendance.services.attempts import count_log_in


class LogInForm(AdminAuthenticationForm):
    """Counts the attempt before it looks at the password."""

    throttled: LogInThrottledError | None = None

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if username and self.request is not None:
            try:
                count_log_in(username, client_address(self.request), timezone.now())
            except LogInThrottledError as refusal:
                self.throttled = refusal
                raise ValidationError(refusal.detail, code=refusal.code) from None
        return super().clean()


_log_in = admin.site.login


@functools.wraps(_log_in)
def log_in(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponse:
    """Django's, with the status and the header that being throttled has elsewhere."""
    response = _log_in(request, extra_context)
    context = getattr(response, "context_data", None) or {}
    refusal = getattr(context.get("form"), "throttled", None)
    if refusal is not None:
        response.status_code = refusal.kind.value
        response["Retry-After"] = str(refusal.retry_after)
    return response


admin.site.login_form = LogInForm
admin.site.login = log_in  # type: ignore[method-assign]
