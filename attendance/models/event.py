from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.class_session import ClassSession


class MessageType(models.TextChoices):
    """The kinds of message that a change commits (contract, "Live stream")."""

    STUDENT_JOINED = "student_joined"
    ATTENDANCE_UPDATE = "attendance_update"
    ROSTER_UPDATE = "roster_update"
    SESSION_UPDATE = "session_update"


class AttendanceEvent(models.Model):
    """
    One committed change of a class session: audit trail and replay log in one.

    Append-only. `data` is the message's data exactly as it was and will be sent;
    it holds the whole record after the change and its status before.
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
    data = models.JSONField()

    class Meta:
        ordering = ["class_session", "revision"]
        constraints = [
            models.UniqueConstraint(
                fields=["class_session", "revision"], name="event_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(type__in=MessageType.values), name="event_type_known"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.revision} {self.get_type_display()}"
