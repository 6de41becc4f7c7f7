"""What the admin pages have in common: refusals as form errors, read-only pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from attendance.admin.lists import BoundedAdmin
from attendance.exceptions import AttendanceError
from attendance.models import AttendanceEvent, AttendanceRecord, ClassSession, User


def _leave_constraints_alone(exclude: Any = None) -> None:
    """In place of the model's own check, for the time of a form."""


class ServiceForm(forms.ModelForm):
    """A form whose values a service judges: its refusal is shown on the form."""

    refusal: AttendanceError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The services say in sentences what constraints could only name.
        self.instance.validate_constraints = _leave_constraints_alone

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.refusal is None:
            return cleaned
        for field, sentences in self.refusal.extra.get("errors", {}).items():
            if field in self.fields:
                self.add_error(field, sentences)
        if not self.errors:
            raise ValidationError(self.refusal.detail, code=self.refusal.code)
        return cleaned


class ServiceAdmin(BoundedAdmin):
    """
    An admin that saves through services, in `save_model` and its kin.

    A refusal undoes the request's transaction and shows the same form again.
    """

    form: type[ServiceForm] = ServiceForm

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except AttendanceError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ServiceForm]:
        form: Any = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return type(form.__name__, (form,), {"refusal": refusal}) if refusal else form


class NoAddMixin:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NoChangeMixin:
    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


class NoDeleteMixin:
    """Not to be deleted, nor together with anything else that refers to it."""

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


class ClassSessionLinkMixin:
    """A link to the class session of an event or a record."""

    @admin.display(description="Class session")
    def class_session_link(self, item: AttendanceEvent | AttendanceRecord) -> str:
        url = reverse(
            "admin:attendance_classsession_change", args=[item.class_session_id]
        )
        return format_html('<a href="{}">{}</a>', url, item.class_session)


def actor_of(request: HttpRequest) -> User:
    """Who uses the admin: nobody gets here without logging in."""
    assert isinstance(request.user, User)
    return request.user


def short_name(class_session: ClassSession) -> str:
    """The class session for a column of a list, which is narrow."""
    course = class_session.course
    name = class_session.title or f"{class_session.starts_at:%Y-%m-%d %H:%M}"
    return f"{Truncator(course.code or course.name).chars(25)}: {name}"
