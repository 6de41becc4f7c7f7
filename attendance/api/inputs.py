"""The shapes that requests must have. Unknown and read-only fields are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.settings import api_settings

from attendance.api.fields import (
    FilterNumberField,
    IdField,
    RawStringField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictUUIDField,
    VersionsField,
)
from attendance.models import Role, State, Status
from attendance.models.class_session import (
    MAX_CUTOFF_MINUTES,
    MAX_EARLY_MINUTES,
    MAX_GRACE_MINUTES,
)
from attendance.services.marking import OPERATIONS
from attendance.services.marks import NOTES_MAX_LENGTH, REASON_MAX_LENGTH

NO_OBJECT = "The body must be a JSON object."


class Input(serializers.Serializer[None]):
    """A request's body."""

    def run_validation(self, data: Any = empty) -> Any:
        # The library speaks of dictionaries, and of null in yet another way.
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: [NO_OBJECT]}
            )
        return super().run_validation(data)


class LogInInput(Input):
    username = StrictCharField(max_length=150)
    password = StrictCharField(max_length=1000, trim_whitespace=False)


class QRCheckInInput(Input):
    token = RawStringField()


class CodeCheckInInput(Input):
    verification_code = RawStringField()


class CourseInput(Input):
    name = StrictCharField(max_length=200)
    code = StrictCharField(max_length=40, required=False, allow_blank=True)
    time_zone = StrictCharField(max_length=64, required=False)


class EnrollmentInput(Input):
    student_id = IdField()


class TeacherInput(Input):
    user_id = IdField()
    role = StrictChoiceField(choices=Role.choices)


class ClassSessionInput(Input):
    title = StrictCharField(max_length=200, required=False, allow_blank=True)
    location = StrictCharField(max_length=200, required=False, allow_blank=True)
    starts_at = StrictDateTimeField(required=False)
    ends_at = StrictDateTimeField(required=False)
    grace_minutes = StrictIntegerField(
        min_value=0, max_value=MAX_GRACE_MINUTES, required=False
    )
    early_minutes = StrictIntegerField(
        min_value=0, max_value=MAX_EARLY_MINUTES, required=False
    )
    allow_late_check_in = StrictBooleanField(required=False)
    late_cutoff_minutes = StrictIntegerField(
        min_value=0, max_value=MAX_CUTOFF_MINUTES, required=False, allow_null=True
    )


class NewClassSessionInput(ClassSessionInput):
    course_id = IdField()
    open = StrictBooleanField(required=False, default=False)


class _MarkInput(Input):
    reason = StrictCharField(max_length=REASON_MAX_LENGTH)
    notes = StrictCharField(
        max_length=NOTES_MAX_LENGTH, required=False, allow_blank=True
    )


class OverrideInput(_MarkInput):
    student_id = IdField()
    status = StrictChoiceField(choices=Status.choices)
    version = StrictIntegerField(min_value=0, required=False)


class BulkInput(_MarkInput):
    operation = StrictChoiceField(choices=sorted(OPERATIONS))
    student_ids = serializers.ListField(
        child=IdField(), allow_empty=False, allow_null=True, required=False
    )
    only_unmarked = StrictBooleanField(required=False, default=False)
    versions = VersionsField(required=False)


class UndoInput(Input):
    operation_id = StrictUUIDField()
    reason = StrictCharField(max_length=REASON_MAX_LENGTH, required=False)


class SettleInput(Input):
    student_id = IdField()
    accept = StrictBooleanField()
    reason = StrictCharField(max_length=REASON_MAX_LENGTH, required=False)
    version = StrictIntegerField(min_value=0, required=False)


# Filters come as text, whatever they mean.


class ClassSessionFilter(Input):
    course = FilterNumberField(required=False)
    state = StrictChoiceField(choices=State.choices, required=False)


class RecordFilter(Input):
    course = FilterNumberField(required=False)
    class_session = FilterNumberField(required=False)
    student = FilterNumberField(required=False)


class EventsFilter(Input):
    after = FilterNumberField(required=False, default=0)
