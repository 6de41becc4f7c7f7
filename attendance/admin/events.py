"""Events: the history that nobody changes."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from attendance.admin.base import (
    ClassSessionLinkMixin,
    NoAddMixin,
    NoChangeMixin,
    NoDeleteMixin,
    short_name,
)
from attendance.admin.searches import Meaning, WordsAdmin, of_class_sessions
from attendance.models import AttendanceEvent, AttendanceRecord


@admin.register(AttendanceEvent)
class AttendanceEventAdmin(
    ClassSessionLinkMixin,
    NoAddMixin,
    NoChangeMixin,
    NoDeleteMixin,
    WordsAdmin,
):
    list_display = (
        "at",
        "session_name",
        "revision",
        "what",
        "student",
        "actor",
    )
    list_filter = ("type",)
    search_help_text = (
        "Beginnings of words: a student's or an actor's name, a course, a title."
    )
    ordering = ("-id",)
    # By anything else all of them would be sorted.
    sortable_by = ()
    fields = (
        "class_session_link",
        "revision",
        "at",
        "type",
        "actor",
        "source",
        "student",
        "record_link",
        "pretty_data",
        "operation_id",
        "pretty_before",
        "hash",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttendanceEvent]:
        events: QuerySet[AttendanceEvent] = super().get_queryset(request)
        # The data of a bulk change is as long as the class: not for lists.
        return (
            events.select_related("class_session__course", "actor", "student")
            .annotate(what=KT("data__event"))
            .defer("data")
        )

    def words_search(self, queryset: QuerySet[Any], meaning: Meaning) -> QuerySet[Any]:
        return of_class_sessions(queryset, meaning, "student", "actor")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # The links of a record's history.
        linked = ("class_session__id__exact", "revision__exact")
        return lookup in linked or super().lookup_allowed(lookup, value, request)

    @admin.display(description="what", ordering="what")
    def what(self, event: Any) -> str:
        return str(event.what or event.type)

    @admin.display(description="class session", ordering="class_session")
    def session_name(self, event: AttendanceEvent) -> str:
        return short_name(event.class_session)

    @admin.display(description="Record")
    def record_link(self, event: AttendanceEvent) -> SafeString | str:
        record = AttendanceRecord.objects.filter(
            class_session_id=event.class_session_id, student_id=event.student_id
        ).first()
        if record is None:
            return "-"
        url = reverse("admin:attendance_attendancerecord_change", args=[record.pk])
        return format_html('<a href="{}">Record {}</a>', url, record.pk)

    @admin.display(description="Data")
    def pretty_data(self, event: AttendanceEvent) -> SafeString:
        return _pretty(event.data)

    @admin.display(description="Records before")
    def pretty_before(self, event: AttendanceEvent) -> SafeString | str:
        return "-" if event.before is None else _pretty(event.before)


def _pretty(value: Any) -> SafeString:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # It scrolls and wraps by itself, on a phone too; <pre> would be cut off.
    return format_html(
        '<textarea class="vLargeTextField" rows="{}" readonly>{}</textarea>',
        min(text.count("\n") + 2, 30),
        text,
    )
