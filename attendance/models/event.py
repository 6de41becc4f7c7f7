from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.class_session import ClassSession
from attendance.models.record import Source


class MessageType(models.TextChoices):
    """The kinds of message that a change commits (contract, "Live stream")."""

    STUDENT_JOINED = "student_joined"
    ATTENDANCE_UPDATE = "attendance_update"
    ROSTER_UPDATE = "roster_update"
    SESSION_UPDATE = "session_update"


class AttendanceEvent(models.Model):
    """
    One committed change of a class session: audit trail and replay log in one.

    Append-only: the database refuses to change or delete a row. `data` is the message's
    data exactly as it was and will be sent; it holds the whole record after the change
    and its status before. What nobody outside is told stands beside it: `before`, from
    which a change made by hand can be undone, and `hash`, which seals the row and all
    before it in its class session (see attendance/sealing.py).
    """

    class_session = models.ForeignKey(
        ClassSession, on_delete=models.PROTECT, related_name="events"
    )
    revision = models.PositiveBigIntegerField()
    type = models.CharField(max_length=20, choices=MessageType)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="attendance_actions",
        null=True,
        blank=True,
    )
    # The one student concerned; null where it is many (bulk) or none.
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="attendance_events",
        null=True,
        blank=True,
    )
    at = models.DateTimeField()
    # As whom the actor did it.
    source = models.CharField(max_length=13, choices=Source)
    data = models.JSONField()
    # Names a change made by hand, to undo it.
    operation_id = models.UUIDField(null=True, blank=True)
    # By student id: the records as they were, of those who had one.
    before = models.JSONField(null=True, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["class_session", "revision"]
        indexes = [
            # For the admin's filter. Without the check-ins: they need no index to be
            # found, and pay for none.
            models.Index(
                fields=["type", "-id"],
                condition=~Q(type=MessageType.STUDENT_JOINED),
                name="event_of_rare_type",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["class_session", "revision"], name="event_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(type__in=MessageType.values), name="event_type_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="event_source_known"
            ),
            models.UniqueConstraint(
                fields=["operation_id"],
                condition=Q(operation_id__isnull=False),
                name="event_operation_once",
            ),
            models.CheckConstraint(
                condition=Q(hash__regex=r"^[0-9a-f]{64}$"), name="event_sealed"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.revision} {self.get_type_display()}"
