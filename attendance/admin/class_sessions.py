"""Class sessions: planned, edited, opened and closed as the teacher does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from attendance.admin.base import ServiceAdmin, ServiceForm, actor_of
from attendance.admin.searches import Meaning, WordsAdmin, listed_class_sessions
from attendance.exceptions import AttendanceError
from attendance.models import ClassSession, State
from attendance.services.class_sessions import (
    DEFAULT_LENGTH,
    EDITABLE,
    close_class_session,
    create_class_session,
    edit_class_session,
    open_class_session,
    reopen_class_session,
    rotate_verification_code,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A step in the life of a class session, offered while it is in `state`."""

    name: str
    label: str
    done: str
    state: State
    service: Callable[..., ClassSession]


STEPS = (
    Step("open", "Open", "is open", State.SCHEDULED, open_class_session),
    Step("close", "Close", "is closed", State.OPEN, close_class_session),
    Step(
        "rotate", "Replace code", "has a new code", State.OPEN, rotate_verification_code
    ),
    Step("reopen", "Reopen", "is open again", State.CLOSED, reopen_class_session),
)


class ClassSessionForm(ServiceForm):
    class Meta:
        model = ClassSession
        fields = ("course", *EDITABLE)


@admin.register(ClassSession)
class ClassSessionAdmin(WordsAdmin, ServiceAdmin):
    form = ClassSessionForm
    change_form_template = "admin/attendance/classsession/change_form.html"
    list_display = ("course", "title", "starts_at", "state", "verification_code")
    list_display_links = ("course", "title")
    list_select_related = ("course",)
    # Not as a hierarchy of dates, which would read all of them to list the years.
    list_filter = ("state", "starts_at")
    search_help_text = "Beginnings of words: of the title or of the course."
    autocomplete_fields = ("course",)
    actions = ("open_selected", "close_selected", "reopen_selected", "rotate_selected")
    fieldsets = (
        (None, {"fields": ("course", "title", "location")}),
        ("Time", {"fields": ("starts_at", "ends_at")}),
        (
            "Check-in",
            {
                "fields": (
                    "early_minutes",
                    "grace_minutes",
                    "allow_late_check_in",
                    "late_cutoff_minutes",
                )
            },
        ),
    )
    state_fields = (
        *("state", "verification_code", "code_generation", "revision", "created_at"),
    )

    def words_search(self, queryset: QuerySet[Any], meaning: Meaning) -> QuerySet[Any]:
        return queryset.filter(pk__in=listed_class_sessions(meaning))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        state = ("State", {"fields": self.state_fields})
        return self.fieldsets if obj is None else (*self.fieldsets, state)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("course", *self.state_fields)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        starts_at = timezone.now().replace(second=0, microsecond=0)
        starts_at += timedelta(minutes=1)
        return {
            "starts_at": starts_at,
            "ends_at": starts_at + DEFAULT_LENGTH,
            **super().get_changeform_initial_data(request),
        }

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What has a history stays; without an object it is about the list's action.
        may: bool = super().has_delete_permission(request, obj)
        return may and obj is not None and not obj.events.exists()

    def save_model(
        self, request: HttpRequest, obj: ClassSession, form: Any, change: bool
    ) -> None:
        actor = actor_of(request)
        if change:
            values = {name: form.cleaned_data[name] for name in form.changed_data}
            edit_class_session(class_session=obj, actor=actor, **values)
        else:
            values = {name: form.cleaned_data[name] for name in EDITABLE}
            obj.pk = create_class_session(course=obj.course, actor=actor, **values).pk
        obj.refresh_from_db()

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        may = obj is not None and self.has_change_permission(request, obj)
        # The form has put what was typed into `obj`, but never a state.
        steps = [step for step in STEPS if may and step.state == obj.state]
        context["steps"] = steps
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_change(self, request: HttpRequest, obj: ClassSession) -> HttpResponse:
        for step in STEPS:
            if f"_{step.name}" in request.POST:
                step.service(class_session=obj, actor=actor_of(request))
                self.message_user(request, f"{obj} {step.done}.", messages.SUCCESS)
                return HttpResponseRedirect(request.get_full_path())
        return super().response_change(request, obj)

    @admin.action(description="Open selected class sessions", permissions=["change"])
    def open_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._step_all(request, queryset, "open")

    @admin.action(description="Close selected class sessions", permissions=["change"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._step_all(request, queryset, "close")

    @admin.action(description="Reopen selected class sessions", permissions=["change"])
    def reopen_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._step_all(request, queryset, "reopen")

    @admin.action(
        description="Replace the code of selected class sessions",
        permissions=["change"],
    )
    def rotate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._step_all(request, queryset, "rotate")

    def _step_all(
        self, request: HttpRequest, queryset: QuerySet[ClassSession], name: str
    ) -> None:
        """Each by itself: one that refuses does not hold up the others."""
        (step,) = (step for step in STEPS if step.name == name)
        for class_session in queryset.select_related("course").order_by("pk"):
            try:
                step.service(class_session=class_session, actor=actor_of(request))
            except AttendanceError as refusal:
                said, level = f"{class_session}: {refusal.detail}", messages.ERROR
            else:
                said, level = f"{class_session} {step.done}.", messages.SUCCESS
            self.message_user(request, said, level)
