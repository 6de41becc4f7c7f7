"""
The same request again: its first answer, and its change made once.

The row of a request is locked while it is being answered, and its answer committed
together with what it changed. So a process that dies leaves neither, and its lock with
it: the next repetition finds the row unanswered and free, and takes over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from attendance.exceptions import KeyReusedError, RequestInProgressError
from attendance.models import IdempotentRequest, User

KEPT_FOR = timedelta(hours=24)
# A new key clears away up to so many old ones: more than come in, and soon done.
FORGOTTEN_AT_ONCE = 100


@contextlib.contextmanager
def claimed(*, user: User, key: str, fingerprint: str) -> Iterator[IdempotentRequest]:
    """
    The person's request with this key: answered before, or now the caller's to answer.

    To answer it is one transaction, the block of this context: `keep_answer` in there,
    or leave it unanswered, and the key may be tried again. Raises KeyReusedError when
    the key stands for another request, RequestInProgressError while somebody else is
    answering this one. Keys are per person and forgotten after KEPT_FOR.
    """
    at = timezone.now()
    same_key = IdempotentRequest.objects.filter(
        user=user, key=key, created_at__gt=at - KEPT_FOR
    )
    known = same_key.first()
    if known is None:
        _remember(user, key, fingerprint, at)
    else:
        _require_same(known, fingerprint)
    if known is None or not known.is_answered:
        with transaction.atomic():
            # Answered ones are left alone: repetitions do not shut each other out.
            unanswered = same_key.filter(status=None)
            request = unanswered.select_for_update(skip_locked=True).first()
            if request is not None:
                _require_same(request, fingerprint)
                yield request
                return
        known = same_key.first()
        if known is None or not known.is_answered:
            raise RequestInProgressError
        _require_same(known, fingerprint)
    yield known


def keep_answer(
    request: IdempotentRequest, *, status: int, headers: Mapping[str, str], body: str
) -> None:
    """Store the answer to a claimed request; it counts once the claim's block ends."""
    request.status = status
    request.headers = dict(headers)
    request.body = body
    request.save(update_fields=["status", "headers", "body"])


def _require_same(request: IdempotentRequest, fingerprint: str) -> None:
    if request.fingerprint != fingerprint:
        raise KeyReusedError


@transaction.atomic
def _remember(user: User, key: str, fingerprint: str, at: datetime) -> None:
    """
    Insert the key unless it is there, and clear away old ones.

    Committed before the request is claimed: whoever comes next must find the row
    locked, rather than wait for an insertion to be decided.
    """
    expired = IdempotentRequest.objects.filter(created_at__lte=at - KEPT_FOR)
    _forget(expired.filter(user=user, key=key))
    _forget(expired.order_by("created_at")[:FORGOTTEN_AT_ONCE])
    IdempotentRequest.objects.bulk_create(
        [IdempotentRequest(user=user, key=key, fingerprint=fingerprint, created_at=at)],
        ignore_conflicts=True,
    )


def _forget(old: QuerySet[IdempotentRequest]) -> None:
    """Delete these, but for rows that another request is deleting."""
    # Looked up first: PostgreSQL may run a subquery that locks and limits more than
    # once, and every time it skips what it locked before.
    found = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True))
    if found:
        IdempotentRequest.objects.filter(pk__in=found).delete()
