"""The forms of the pages: shape only. What may be done is the services' to judge."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils import timezone

from attendance.exceptions import AttendanceError, InvalidInputError
from attendance.models import Role, Status
from attendance.models.class_session import (
    MAX_CUTOFF_MINUTES,
    MAX_EARLY_MINUTES,
    MAX_GRACE_MINUTES,
)
from attendance.models.course import time_zones
from attendance.services.marks import NOTES_MAX_LENGTH, REASON_MAX_LENGTH

_SEEN_VERSIONS = re.compile(r"[0-9]{1,18}:[0-9]{1,9}(?:,[0-9]{1,18}:[0-9]{1,9})*")


class PageForm(forms.Form):
    """A form whose fields a browser can describe, and that takes refusals in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def refuse(self, error: AttendanceError) -> None:
        """Show a service's refusal beside the field that it is about."""
        for name, sentences in error.extra.get(
            "errors", {None: [error.detail]}
        ).items():
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)

    def as_refusal(self) -> InvalidInputError:
        """What is wrong with the form, for where the form itself is not shown again."""
        return InvalidInputError(
            {name: [str(e) for e in errors] for name, errors in self.errors.items()}
        )

    def changed_fields(self) -> dict[str, Any]:
        """The values that differ from what the form was shown with."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class LocalDateTimeField(forms.DateTimeField):
    """A time to the minute in the current time zone, given as UTC."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], **kwargs
        )

    def to_python(self, value: Any) -> datetime | None:
        at = super().to_python(value)
        try:
            return at if at is None else at.astimezone(UTC)
        except OverflowError:
            raise forms.ValidationError(
                self.error_messages["invalid"], code="invalid"
            ) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        # The form shows minutes: seconds that it hid have not been changed.
        if isinstance(initial, datetime):
            shown = timezone.localtime(initial).strftime("%Y-%m-%dT%H:%M")
            if data == shown:
                return False
        return bool(super().has_changed(initial, data))


def _minutes(label: str, most: int, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=0, max_value=most, required=False, **kwargs
    )


class ClassSessionForm(PageForm):
    """Plan or edit a class session, in the current time zone."""

    title = forms.CharField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Week 3"}),
    )
    location = forms.CharField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Room B12"}),
    )
    starts_at = LocalDateTimeField(label="Starts")
    ends_at = LocalDateTimeField(label="Ends")
    grace_minutes = _minutes(
        "Grace, in minutes",
        MAX_GRACE_MINUTES,
        help_text="Who checks in this long after the start is still on time.",
    )
    early_minutes = _minutes(
        "Early, in minutes",
        MAX_EARLY_MINUTES,
        help_text="Check-in begins this long before the start.",
    )
    allow_late_check_in = forms.BooleanField(
        label="Students may check themselves in late", required=False
    )
    late_cutoff_minutes = _minutes(
        "Cut-off, in minutes",
        MAX_CUTOFF_MINUTES,
        help_text="No check-in later than this after the start. Empty: no cut-off.",
    )

    def changed_fields(self) -> dict[str, Any]:
        # Left empty, these keep what they are.
        kept = ("grace_minutes", "early_minutes")
        return {
            name: value
            for name, value in super().changed_fields().items()
            if not (name in kept and value is None)
        }


class CourseForm(PageForm):
    """Make or edit a course."""

    name = forms.CharField(max_length=200)
    code = forms.CharField(
        max_length=40,
        required=False,
        help_text="Short, as in a timetable.",
        widget=forms.TextInput(attrs={"placeholder": "MATH-101"}),
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="Times of this course are shown in it.",
        choices=lambda: [
            (name, name.replace("_", " ")) for name in sorted(time_zones())
        ],
    )


class SeenVersionsField(forms.Field):
    """The versions of the records that a page showed: id:version,id:version."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)

    def to_python(self, value: Any) -> dict[int, int]:
        text = value or ""
        if text and not _SEEN_VERSIONS.fullmatch(text):
            raise forms.ValidationError("Load the page again.", code="invalid")
        pairs = (pair.split(":") for pair in text.split(",")) if text else ()
        return {int(student_id): int(version) for student_id, version in pairs}


class MarkForm(PageForm):
    """What override and bulk have in common."""

    reason = forms.CharField(
        max_length=REASON_MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class OverrideForm(MarkForm):
    """Set one student's status by hand."""

    status = forms.ChoiceField(choices=Status.choices)
    notes = forms.CharField(max_length=NOTES_MAX_LENGTH, required=False)
    version = forms.IntegerField(min_value=0, required=False)


class BulkForm(MarkForm):
    """Set many students' status by hand."""

    SELECTED, UNMARKED, ALL = "selected", "unmarked", "all"
    SCOPES = (
        (SELECTED, "the selected students"),
        (UNMARKED, "everyone still unmarked"),
        (ALL, "everyone on the roster"),
    )
    OPERATIONS = tuple((f"mark_{s.value}", str(s.label)) for s in Status)

    scope = forms.ChoiceField(choices=SCOPES)
    operation = forms.ChoiceField(choices=OPERATIONS)
    versions = SeenVersionsField()


class SettleForm(PageForm):
    """Take one side of a conflict: keep:STUDENT:VERSION or accept:STUDENT:VERSION."""

    side = forms.RegexField(r"\A(?:keep|accept):[0-9]{1,18}:[0-9]{1,9}\Z")

    def clean_side(self) -> dict[str, Any]:
        side, student_id, version = self.cleaned_data["side"].split(":")
        return {
            "accept": side == "accept",
            "student_id": int(student_id),
            "version": int(version),
        }


class UndoForm(PageForm):
    """Name the operation to take back."""

    operation_id = forms.UUIDField()


class PersonForm(PageForm):
    """Name a person by user name."""

    username = forms.CharField(max_length=150)


class TeacherForm(PersonForm):
    role = forms.ChoiceField(choices=Role.choices)
