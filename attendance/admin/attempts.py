"""The budgets against guessing; deleting attempts lets a person try again at once."""

from __future__ import annotations

from django.contrib import admin

from attendance.admin.base import NoAddMixin, NoChangeMixin
from attendance.admin.lists import BoundedAdmin
from attendance.models import FailedCheckIn, LogInAttempt


@admin.register(FailedCheckIn)
class FailedCheckInAdmin(NoAddMixin, NoChangeMixin, BoundedAdmin):
    list_display = ("at", "student")
    list_select_related = ("student",)
    search_fields = ("student__username", "student__name")
    ordering = ("-id",)


@admin.register(LogInAttempt)
class LogInAttemptAdmin(NoAddMixin, NoChangeMixin, BoundedAdmin):
    list_display = ("at", "key")
    search_fields = ("key",)
    ordering = ("-id",)
