from __future__ import annotations

from django.conf import settings
from django.db import models


class FailedCheckIn(models.Model):
    """A wrong code or forged token; counted against guessing, kept for minutes."""

    student = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="failed_check_ins",
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["student", "at"], name="failed_check_in_recent")
        ]

    def __str__(self) -> str:
        return f"{self.student_id} at {self.at:%H:%M:%S}"


class LogInAttempt(models.Model):
    """A log-in attempt; `key` is a hash over user name and address."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["key", "at"], name="log_in_attempt_recent")]

    def __str__(self) -> str:
        return f"{self.key[:8]} at {self.at:%H:%M:%S}"
