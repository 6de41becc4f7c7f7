from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from attendance.models.course import Course

# Bounds, in minutes, that also keep every sum of a time and a duration in range.
MAX_EARLY_MINUTES = 24 * 60
MAX_GRACE_MINUTES = 24 * 60
MAX_CUTOFF_MINUTES = 7 * 24 * 60


class State(models.TextChoices):
    """scheduled → open → closed → (reopened) open."""

    SCHEDULED = "scheduled", "Scheduled"
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class ClassSession(models.Model):
    """
    One meeting of a course, into which students check in while it is open.

    `revision` counts the messages committed for this session; `code_generation`
    grows whenever its code and QR tokens are replaced, and a token names the
    generation it was made in. `edition` grows with every edit: what was judged by an
    older one is judged again.
    """

    course = models.ForeignKey(
        Course, on_delete=models.PROTECT, related_name="class_sessions"
    )
    title = models.CharField(max_length=200, blank=True, default="")
    location = models.CharField(max_length=200, blank=True, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    grace_minutes = models.PositiveIntegerField(default=5)
    early_minutes = models.PositiveIntegerField(default=15)
    allow_late_check_in = models.BooleanField(default=True)
    late_cutoff_minutes = models.PositiveIntegerField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.SCHEDULED)
    # NULL, not "": any number of sessions may be without a code at the same time.
    verification_code = models.CharField(  # noqa: DJ001
        max_length=6, null=True, blank=True
    )
    code_generation = models.PositiveIntegerField(default=0)
    edition = models.PositiveIntegerField(default=0)
    revision = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-starts_at", "-id"]
        indexes = [
            models.Index(fields=["-starts_at", "-id"], name="class_session_latest"),
            models.Index(
                fields=["course", "-starts_at"], name="class_session_of_course"
            ),
        ]
        constraints = [
            # Partial on purpose: a whole unique index would make the code a key that
            # foreign keys may refer to, and clearing it on close would then wait for
            # check-ins that hold such a reference and in turn wait for the close.
            models.UniqueConstraint(
                fields=["verification_code"],
                condition=Q(verification_code__isnull=False),
                name="class_session_code_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="class_session_state_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="class_session_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(late_cutoff_minutes__isnull=True)
                | Q(late_cutoff_minutes__gte=F("grace_minutes")),
                name="class_session_cutoff_not_below_grace",
            ),
            models.CheckConstraint(
                condition=Q(grace_minutes__lte=MAX_GRACE_MINUTES)
                & Q(early_minutes__lte=MAX_EARLY_MINUTES)
                & (
                    Q(late_cutoff_minutes__isnull=True)
                    | Q(late_cutoff_minutes__lte=MAX_CUTOFF_MINUTES)
                ),
                name="class_session_minutes_in_bounds",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state=State.OPEN, verification_code__isnull=False)
                    | (~Q(state=State.OPEN) & Q(verification_code__isnull=True))
                ),
                name="class_session_code_while_open",
            ),
            models.CheckConstraint(
                condition=Q(verification_code__isnull=True)
                | Q(verification_code__regex=r"^[0-9]{6}$"),
                name="class_session_code_six_digits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course}: {self.title or f'{self.starts_at:%Y-%m-%d %H:%M}'}"

    @property
    def is_open(self) -> bool:
        return self.state == State.OPEN
