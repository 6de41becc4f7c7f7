"""Attendance records: overridden, one or many, with a reason; never just edited."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from attendance import selectors
from attendance.admin.base import (
    ClassSessionLinkMixin,
    NoAddMixin,
    NoDeleteMixin,
    ServiceAdmin,
    ServiceForm,
    actor_of,
    short_name,
)
from attendance.admin.searches import Meaning, WordsAdmin, of_class_sessions
from attendance.exceptions import AttendanceError, VersionConflictError
from attendance.models import (
    UNMARKED,
    AttendanceRecord,
    ClassSession,
    Status,
    VerificationMethod,
)
from attendance.services.marking import OPERATIONS, mark_in_bulk, override_status
from attendance.services.marks import NOTES_MAX_LENGTH, REASON_MAX_LENGTH

RECORDS_SHOWN = 100
_REASON_HELP = "Goes into the history; the student sees it, too."


def _reason_field() -> forms.CharField:
    return forms.CharField(
        max_length=REASON_MAX_LENGTH,
        help_text=_REASON_HELP,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


def _notes_field(help_text: str = "") -> forms.CharField:
    return forms.CharField(
        max_length=NOTES_MAX_LENGTH,
        required=False,
        help_text=help_text,
        widget=forms.Textarea(attrs={"class": "vLargeTextField", "rows": 3}),
    )


class OverrideForm(ServiceForm):
    """A new status, why, and the version of the record that was looked at."""

    status = forms.ChoiceField(choices=Status.choices)
    reason = _reason_field()
    notes = _notes_field()
    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = AttendanceRecord
        fields = ("status", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_version"] = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        if isinstance(self.refusal, VersionConflictError):
            raise forms.ValidationError(
                "The record has changed since you saw it. Its present state is shown "
                "below; to override that, load the page again.",
                code=self.refusal.code,
            )
        return super().clean()


class BulkOverrideForm(forms.Form):
    """A new status for many records, and why."""

    status = forms.ChoiceField(choices=Status.choices)
    reason = _reason_field()
    notes = _notes_field("Left empty, the notes stay as they are.")


@admin.register(AttendanceRecord)
class AttendanceRecordAdmin(
    ClassSessionLinkMixin, NoAddMixin, NoDeleteMixin, WordsAdmin, ServiceAdmin
):
    form = OverrideForm
    list_display = (
        "student_name",
        "session_name",
        "status",
        "check_in_time",
        "verification_method",
    )
    list_select_related = ("student", "class_session__course")
    list_filter = ("status", "verification_method")
    search_help_text = "Beginnings of words: a student's name, a course, a title."
    ordering = ("-id",)
    # By anything else all of them would be sorted.
    sortable_by = ()
    actions = ("override_selected",)
    fact_fields = (
        "student",
        "class_session_link",
        "present_status",
        "check_in_time",
        "late_minutes",
        "verification_method",
        "override_reason",
        "version",
    )
    readonly_fields = (*fact_fields, "history", "overruled")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttendanceRecord]:
        records: QuerySet[AttendanceRecord] = super().get_queryset(request)
        return records.select_related("student", "class_session__course")

    def words_search(self, queryset: QuerySet[Any], meaning: Meaning) -> QuerySet[Any]:
        return of_class_sessions(queryset, meaning, "student")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        facts = (None, {"fields": self.fact_fields})
        override = (
            "Override",
            {"fields": ("status", "reason", "notes", "seen_version")},
        )
        history = ("History", {"fields": ("history", "overruled")})
        if self.has_change_permission(request, obj):
            return (facts, override, history)
        return ((None, {"fields": (*self.fact_fields, "notes")}), history)

    @admin.display(description="student", ordering="student__name")
    def student_name(self, record: AttendanceRecord) -> str:
        # Cut, because the list does not wrap its first column.
        return Truncator(record.student.display_name).chars(40)

    @admin.display(description="class session", ordering="class_session")
    def session_name(self, record: AttendanceRecord) -> str:
        return short_name(record.class_session)

    @admin.display(description="Status")
    def present_status(self, record: AttendanceRecord) -> str:
        # From the database: the form has put the wanted status into `record`.
        return _label(
            AttendanceRecord.objects.values_list("status", flat=True).get(pk=record.pk)
        )

    @admin.display(description="Every change")
    def history(self, record: AttendanceRecord) -> SafeString:
        events = reverse("admin:attendance_attendanceevent_changelist")
        rows = (
            (
                f"{events}?class_session__id__exact={record.class_session_id}"
                f"&revision__exact={change['revision']}",
                _shown_time(change["timestamp"]),
                change["actor"]["name"] if change["actor"] else "-",
                _label(change["old_status"]),
                _label(change["new_status"]),
                _method(change["verification_method"]),
                change["reason"] or "",
            )
            for change in selectors.history(record)
        )
        lines = format_html_join(
            "",
            '<tr><td><a href="{}">{}</a></td><td>{}</td><td>{} → {} ({})</td>'
            "<td>{}</td></tr>",
            rows,
        )
        return format_html(
            "<table><thead><tr><th>When</th><th>Who</th><th>Change</th><th>Why</th>"
            "</tr></thead><tbody>{}</tbody></table>",
            lines,
        )

    @admin.display(description="Overruled, changed nothing")
    def overruled(self, record: AttendanceRecord) -> SafeString | str:
        rows = [
            (
                f"{timezone.localtime(mark.at):%Y-%m-%d %H:%M:%S}",
                mark.actor,
                mark.get_status_display(),
                mark.get_verification_method_display(),
                mark.reason,
            )
            for mark in selectors.overruled_marks(record)
        ]
        lines = format_html_join(
            "", "<tr><td>{}</td><td>{}</td><td>{} ({})</td><td>{}</td></tr>", rows
        )
        table = "<table><thead><tr><th>When</th><th>Who</th><th>Said</th><th>Why</th>"
        return (
            format_html(table + "</tr></thead><tbody>{}</tbody></table>", lines)
            if rows
            else "-"
        )

    def save_model(
        self, request: HttpRequest, obj: AttendanceRecord, form: Any, change: bool
    ) -> None:
        override_status(
            class_session=obj.class_session,
            actor=actor_of(request),
            student_id=obj.student_id,
            status=form.cleaned_data["status"],
            reason=form.cleaned_data["reason"],
            notes=form.cleaned_data["notes"],
            version=form.cleaned_data["seen_version"],
        )
        obj.refresh_from_db()

    @admin.action(description="Override selected records", permissions=["change"])
    def override_selected(
        self, request: HttpRequest, queryset: QuerySet[AttendanceRecord]
    ) -> HttpResponse | None:
        """Ask for status and reason, then mark; one message per class session."""
        form = BulkOverrideForm(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            try:
                changed, unchanged = self._override(request, queryset, form)
            except AttendanceError as refusal:
                form.add_error(None, refusal.detail)
            else:
                said = f"{changed} records overridden, {unchanged} left as they were."
                self.message_user(request, said, messages.SUCCESS)
                return None
        return self._ask(request, queryset, form)

    @transaction.atomic
    def _override(
        self,
        request: HttpRequest,
        queryset: QuerySet[AttendanceRecord],
        form: BulkOverrideForm,
    ) -> tuple[int, int]:
        students: dict[ClassSession, list[int]] = defaultdict(list)
        for record in queryset.order_by("class_session_id", "student_id"):
            students[record.class_session].append(record.student_id)
        operation = next(
            name
            for name, status in OPERATIONS.items()
            if status == form.cleaned_data["status"]
        )
        outcomes = [
            mark_in_bulk(
                class_session=class_session,
                actor=actor_of(request),
                operation=operation,
                student_ids=student_ids,
                reason=form.cleaned_data["reason"],
                notes=form.cleaned_data["notes"] or None,
            )
            for class_session, student_ids in students.items()
        ]
        return (
            sum(outcome.processed_count for outcome in outcomes),
            sum(outcome.unchanged_count for outcome in outcomes),
        )

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[AttendanceRecord],
        form: BulkOverrideForm,
    ) -> HttpResponse:
        number = queryset.count()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Override attendance",
            "form": form,
            "number": number,
            "records": queryset[:RECORDS_SHOWN],
            "more": max(0, number - RECORDS_SHOWN),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "selected_name": ACTION_CHECKBOX_NAME,
            "select_across": request.POST.get("select_across", "0"),
            "media": self.media + form.media,
        }
        return TemplateResponse(
            request, "admin/attendance/attendancerecord/override_selected.html", context
        )


def _label(status: str) -> str:
    return "unmarked" if status == UNMARKED else Status(status).label


def _method(method: str | None) -> str:
    return "Undone" if method is None else VerificationMethod(method).label


def _shown_time(timestamp: str) -> str:
    at = parse_datetime(timestamp)
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
