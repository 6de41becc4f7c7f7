"""Fields that take a value of their type and no look-alike."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# The range of PostgreSQL's bigint: beyond it no row has that id.
MAX_ID = 2**63 - 1


class StrictCharField(serializers.CharField):
    """Text. Numbers are not text."""

    default_error_messages = {"invalid": "A string is needed."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        value: str = super().to_internal_value(data)
        return value


@extend_schema_field(OpenApiTypes.STR)
class RawStringField(serializers.Field):
    """Any string at all: what it means is the domain's to judge."""

    default_error_messages = {"invalid": "A string is needed."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        return value


class StrictIntegerField(serializers.IntegerField):
    """A whole number. Neither true, nor 1.0, nor "1"."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class IdField(StrictIntegerField):
    """An id; one out of range is simply nobody's."""


@extend_schema_field(OpenApiTypes.INT)
class FilterNumberField(serializers.Field):
    """A whole number in a query string: ASCII digits and nothing else."""

    default_error_messages = {"invalid": "A whole number is needed."}

    def to_internal_value(self, data: Any) -> int:
        if not (isinstance(data, str) and data.isascii() and data.isdigit()):
            self.fail("invalid")
        # No more than a bigint holds, so that any database can compare with it.
        return min(int(data), MAX_ID) if len(data) < 1000 else MAX_ID

    def to_representation(self, value: int) -> int:
        return value


class StrictBooleanField(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictChoiceField(serializers.ChoiceField):
    """One of a few words. What was sent instead is not repeated in the answer."""

    default_error_messages = {"invalid_choice": "Use one of: {names}."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", names=", ".join(map(str, self.choices)))
        return data


class StrictDateTimeField(serializers.DateTimeField):
    """ISO 8601 with an offset, which alone says when."""

    default_error_messages = {
        "invalid": "Use ISO 8601 with an offset, such as 2026-09-01T09:00:00Z."
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid")
        try:
            parsed = parse_datetime(value)
            if parsed is None or parsed.tzinfo is None:
                self.fail("invalid")
            return parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")


class StrictUUIDField(serializers.UUIDField):
    """A UUID as text; the library would also take numbers."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str):
            self.fail("invalid", value="")
        try:
            return uuid.UUID(data)
        except ValueError:
            self.fail("invalid", value="")


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
)
class VersionsField(serializers.Field):
    """
    The version last seen of each student's record, by student id.

    JSON has no other keys than text; ids that are nobody's do no harm.
    """

    default_error_messages = {
        "invalid": "Give an object from student id to the version last seen."
    }

    def to_internal_value(self, data: Any) -> dict[int, int]:
        if not isinstance(data, Mapping):
            self.fail("invalid")
        versions = {}
        for key, version in data.items():
            known = key.isascii() and key.isdecimal() and len(key) < 20
            whole = isinstance(version, int) and not isinstance(version, bool)
            if not (known and whole and version >= 0):
                self.fail("invalid")
            versions[int(key)] = version
        return versions

    def to_representation(self, value: dict[int, int]) -> dict[int, int]:
        return value
