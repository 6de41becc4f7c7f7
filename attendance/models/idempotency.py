from __future__ import annotations

from django.conf import settings
from django.db import models


class IdempotentRequest(models.Model):
    """
    A request that a client may send again, with its first answer; kept for a day.

    `status` null: not answered yet. `fingerprint` tells it from any other request
    with the same key.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="idempotent_requests",
    )
    key = models.CharField(max_length=255)
    # SHA-256 in hexadecimal.
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    # As it was sent, byte for byte.
    body = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], name="idempotent_request_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"

    @property
    def is_answered(self) -> bool:
        return self.status is not None
