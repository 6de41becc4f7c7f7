"""
Deleting what has done its work: the rows that have a last day.

Records, events and overruled marks have none: the history is kept until the school
decides otherwise, and no command of the application can delete it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from knox.models import AuthToken

from attendance.models import FailedCheckIn, IdempotentRequest, LogInAttempt
from attendance.rules import CHECK_IN_WINDOW
from attendance.services.attempts import LOG_IN_WINDOW
from attendance.services.idempotency import KEPT_FOR

# Rows of one transaction: some milliseconds, so that nobody waits for it.
BATCH = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Purged:
    """What kind of rows, in the plural, and how many of them are gone."""

    what: str
    number: int


def purge(at: datetime) -> Iterator[Purged]:
    """
    Delete what is of no more use at this time, kind by kind, BATCH rows at a time.

    Each batch is committed by itself: broken off, it has done a part of the work.
    """
    for what, rows in (
        ("log-in sessions", Session.objects.filter(expire_date__lt=at)),
        ("API tokens", AuthToken.objects.filter(expiry__lt=at)),
        (
            "answers to repeated requests",
            IdempotentRequest.objects.filter(created_at__lte=at - KEPT_FOR),
        ),
        ("wrong codes", FailedCheckIn.objects.filter(at__lte=at - CHECK_IN_WINDOW)),
        ("log-in attempts", LogInAttempt.objects.filter(at__lte=at - LOG_IN_WINDOW)),
    ):
        yield Purged(what, _delete(rows))


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while True:
        with transaction.atomic():
            # Not those that a request is deleting itself.
            batch = rows.order_by("pk").select_for_update(skip_locked=True)[:BATCH]
            ids = list(batch.values_list("pk", flat=True))
            rows.model._default_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
        if len(ids) < BATCH:
            return deleted
