"""The admin's own log-in page, within the same budget as every other."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone

from attendance.addresses import client_address
from attendance.exceptions import LogInThrottledError
from attendance.services.attempts import count_log_in


class LogInForm(AdminAuthenticationForm):
    """Counts the attempt before it looks at the password."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if username and self.request is not None:
            try:
                count_log_in(username, client_address(self.request), timezone.now())
            except LogInThrottledError as refusal:
                raise ValidationError(refusal.detail, code=refusal.code) from None
        return super().clean()


admin.site.login_form = LogInForm
