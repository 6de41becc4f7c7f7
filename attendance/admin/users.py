"""People."""

from __future__ import annotations

import functools
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from attendance.admin.base import actor_of
from attendance.admin.searches import Meaning, WordsAdmin
from attendance.models import User
from attendance.selectors import search
from attendance.services.tokens import revoke_tokens

TOKENS_REVOKED = "The person's API tokens have been revoked."


class AddUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("username", "name", "email")


class ChangeUserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007  (the fieldsets below choose)


class ChangePasswordForm(AdminPasswordChangeForm):
    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        revoke_tokens(self.user)
        return super().save(commit)


@admin.register(User)
class UserAdmin(WordsAdmin, DjangoUserAdmin):
    """Django's, with one field for the name; a new password revokes API tokens."""

    form = ChangeUserForm
    add_form = AddUserForm
    change_password_form = ChangePasswordForm
    list_display = ("username", "name", "email", "is_staff", "is_active")
    search_help_text = "Beginnings of names, of the user name or of the email."
    ordering = ("username",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("name", "email")}),
        (
            "Permissions",
            {
                "fields": (
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    "groups",
                    "user_permissions",
                )
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username",
                    "name",
                    "email",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )

    def words_search(self, queryset: QuerySet[Any], meaning: Meaning) -> QuerySet[Any]:
        return queryset.filter(search.person_named(meaning.words))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        if _changed(request, response):
            self.message_user(request, TOKENS_REVOKED)
        return response


def _changed(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether `response` says that the password has been changed."""
    # What is refused otherwise than on the form leads back to the form.
    return (
        request.method == "POST"
        and isinstance(response, HttpResponseRedirect)
        and response.url != request.get_full_path()
    )


_change_own_password = admin.site.password_change


@functools.wraps(_change_own_password)
def change_own_password(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponse:
    """Django's, of which no form can be replaced."""
    with transaction.atomic():
        response = _change_own_password(request, extra_context)
        if _changed(request, response):
            revoke_tokens(actor_of(request))
            messages.info(request, TOKENS_REVOKED)
    return response


admin.site.password_change = change_own_password  # type: ignore[assignment,method-assign]
