from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.class_session import ClassSession

# What a roster says of a student without a record. Not a status: never stored.
UNMARKED = "unmarked"


class Status(models.TextChoices):
    PRESENT = "present", "Present"
    LATE = "late", "Late"
    ABSENT = "absent", "Absent"
    EXCUSED = "excused", "Excused"


class VerificationMethod(models.TextChoices):
    """How the current status came about."""

    QR_CODE = "qr_code", "QR code"
    VERIFICATION_CODE = "verification_code", "Code"
    TEACHER_OVERRIDE = "teacher_override", "Set by teacher"
    AUTO_CLOSE = "auto_close", "Set on closing"


class AttendanceRecord(models.Model):
    """
    The current attendance of one student in one class session.

    How it became so is in the events. `version` is 1 when first committed and grows
    by one with every change; 0 exists only inside a transaction, for a row that was
    claimed and not filled yet (see services/records.py).
    """

    class_session = models.ForeignKey(
        ClassSession, on_delete=models.PROTECT, related_name="records"
    )
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="records"
    )
    status = models.CharField(max_length=10, choices=Status)
    check_in_time = models.DateTimeField(null=True, blank=True)
    late_minutes = models.PositiveIntegerField(default=0)
    verification_method = models.CharField(max_length=20, choices=VerificationMethod)
    # NULL is the contract's "no override", which "" could not tell from a blank one.
    override_reason = models.CharField(  # noqa: DJ001
        max_length=500, null=True, blank=True
    )
    notes = models.CharField(max_length=2000, blank=True, default="")
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["student", "-class_session"], name="record_student"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["class_session", "student"], name="record_once_per_student"
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="record_status_known"
            ),
            models.CheckConstraint(
                condition=Q(verification_method__in=VerificationMethod.values),
                name="record_method_known",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.LATE) | Q(late_minutes=0),
                name="record_minutes_only_when_late",
            ),
            models.CheckConstraint(
                condition=Q(
                    verification_method=VerificationMethod.TEACHER_OVERRIDE,
                    override_reason__isnull=False,
                )
                | (
                    ~Q(verification_method=VerificationMethod.TEACHER_OVERRIDE)
                    & Q(override_reason__isnull=True)
                ),
                name="record_reason_with_override",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student}: {self.get_status_display()}"

    @property
    def is_unmarked(self) -> bool:
        """Claimed by the running transaction, nothing recorded yet."""
        return self.version == 0

    @property
    def is_late(self) -> bool:
        return self.status == Status.LATE

    @property
    def is_manual_override(self) -> bool:
        return self.verification_method == VerificationMethod.TEACHER_OVERRIDE

    @property
    def is_checked_in(self) -> bool:
        """Whether a check-in would find something that it must leave alone."""
        return (
            not self.is_unmarked
            and self.verification_method != VerificationMethod.AUTO_CLOSE
        )
