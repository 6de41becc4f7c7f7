"""API tokens: whose, until when; the token itself is shown once, when it is made."""

from __future__ import annotations

from typing import Any

# Imported first, so that knox's registration is there to be replaced.
import knox.admin
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from knox.models import AuthToken

from attendance.admin.lists import BoundedAdmin

admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class AuthTokenAdmin(BoundedAdmin, knox.admin.AuthTokenAdmin):
    """knox's, without its editable digest: only the expiry can be changed."""

    list_display = ("token_key", "user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("token_key", "user__username", "user__name")
    change_form_template = "admin/knox/authtoken/change_form.html"
    ordering = ("-created",)
    raw_id_fields = ()
    autocomplete_fields = ("user",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("user", "token_key", "created")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("user", "expiry", *self.get_readonly_fields(request, obj)[1:])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # knox would write the whole digest there, which no screen is wide enough for.
        context["subtitle"] = None
        return super().render_change_form(request, context, *args, **kwargs)
