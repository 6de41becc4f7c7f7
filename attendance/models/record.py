from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.class_session import ClassSession
from attendance.models.user import User

# Of a student without a record, and of a record whose only mark was taken back.
UNMARKED = "unmarked"


class Status(models.TextChoices):
    PRESENT = "present", "Present"
    LATE = "late", "Late"
    ABSENT = "absent", "Absent"
    EXCUSED = "excused", "Excused"


RECORD_STATUSES = [*Status.choices, (UNMARKED, "Unmarked")]


class Source(models.TextChoices):
    """
    Whom a mark comes from, the weakest first; `attendance.rules` says what follows.

    An administrator's mark stays an administrator's, whatever the person becomes.
    """

    AUTOMATIC = "automatic", "Automatic"
    STUDENT = "student", "Student"
    TEACHER = "teacher", "Teacher"
    ADMINISTRATOR = "administrator", "Administrator"

    @property
    def rank(self) -> int:
        """Its strength: the higher number may replace the lower and its equal."""
        return list(Source).index(self)

    @classmethod
    def of(cls, actor: User) -> Source:
        """As whom this person marks others now."""
        return cls.ADMINISTRATOR if actor.is_staff else cls.TEACHER


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
    claimed and not filled yet (see services/records.py). A row is never deleted: when
    its only mark is taken back it is unmarked again, and its version counts on, so
    that no version ever means two things.
    """

    class_session = models.ForeignKey(
        ClassSession, on_delete=models.PROTECT, related_name="records"
    )
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="records"
    )
    status = models.CharField(max_length=10, choices=RECORD_STATUSES)
    check_in_time = models.DateTimeField(null=True, blank=True)
    late_minutes = models.PositiveIntegerField(default=0)
    # NULL is the contract's for "unmarked".
    verification_method = models.CharField(  # noqa: DJ001
        max_length=20, choices=VerificationMethod, null=True, blank=True
    )
    source = models.CharField(
        max_length=13,
        choices=Source,
        default=Source.AUTOMATIC,
        db_default=Source.AUTOMATIC,
    )
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
                condition=Q(status__in=[value for value, _ in RECORD_STATUSES]),
                name="record_status_known",
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
                    (
                        Q(verification_method__isnull=True)
                        | ~Q(verification_method=VerificationMethod.TEACHER_OVERRIDE)
                    )
                    & Q(override_reason__isnull=True)
                ),
                name="record_reason_with_override",
            ),
            models.CheckConstraint(
                condition=Q(status=UNMARKED, verification_method__isnull=True)
                | (~Q(status=UNMARKED) & Q(verification_method__isnull=False)),
                name="record_method_unless_unmarked",
            ),
            models.CheckConstraint(
                condition=Q(
                    verification_method=VerificationMethod.TEACHER_OVERRIDE,
                    source__in=(Source.TEACHER, Source.ADMINISTRATOR),
                )
                | Q(
                    verification_method__in=(
                        VerificationMethod.QR_CODE,
                        VerificationMethod.VERIFICATION_CODE,
                    ),
                    source=Source.STUDENT,
                )
                | Q(
                    verification_method=VerificationMethod.AUTO_CLOSE,
                    source=Source.AUTOMATIC,
                )
                | Q(verification_method__isnull=True, source=Source.AUTOMATIC),
                name="record_source_fits_method",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student}: {self.get_status_display()}"

    @property
    def is_unmarked(self) -> bool:
        """Nothing is recorded: just claimed, or the mark was taken back."""
        return self.status == UNMARKED

    @property
    def is_manual_override(self) -> bool:
        return self.verification_method == VerificationMethod.TEACHER_OVERRIDE

    @property
    def is_checked_in(self) -> bool:
        """Whether a check-in would find something that it must leave alone."""
        return self.source != Source.AUTOMATIC
