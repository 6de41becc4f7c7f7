from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.class_session import ClassSession
from attendance.models.record import (
    AttendanceRecord,
    Source,
    Status,
    VerificationMethod,
)


class OverruledMark(models.Model):
    """
    What somebody said of a record that a stronger source had already marked.

    It changes nothing about the record and is no message: the contract has the mark
    stand. Append-only, like the events. `record_version` is the version of the record
    that overruled it, so any later change of the record has the last word, and nothing
    has to say that a conflict was settled.
    """

    record = models.ForeignKey(
        AttendanceRecord,
        on_delete=models.PROTECT,
        related_name="overruled_marks",
        db_index=False,  # the index below begins with it
    )
    # The record's, to find the newest of a class session at every heartbeat.
    class_session = models.ForeignKey(
        ClassSession, on_delete=models.PROTECT, related_name="overruled_marks"
    )
    record_version = models.PositiveIntegerField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="overruled_marks",
    )
    source = models.CharField(max_length=13, choices=Source)
    status = models.CharField(max_length=10, choices=Status)
    verification_method = models.CharField(max_length=20, choices=VerificationMethod)
    reason = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["record", "record_version"], name="overruled_of_record"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="overruled_status_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="overruled_source_known"
            ),
            models.CheckConstraint(
                condition=Q(verification_method__in=VerificationMethod.values),
                name="overruled_method_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.get_status_display()}"
