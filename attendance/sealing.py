"""
The seal of the history: a chain of hashes through the events of each class session.

An event's hash is SHA-256 over the hash of the event before it in its session and the
digest of its own content, both in hexadecimal; before the first stands GENESIS. So who
changes, adds or removes an event behind the application's back has to make every later
one anew, and whoever has kept a later hash elsewhere will see it.

None of this may ever change: what is sealed could no longer be verified.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from attendance.payloads import iso

GENESIS = "0" * 64
_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class Sealed(Protocol):
    """What the seal covers of an event."""

    class_session_id: int
    revision: int
    type: str
    source: str
    actor_id: int | None
    student_id: int | None
    at: Any
    data: Any
    operation_id: UUID | None
    before: Any


def content_texts(event: Sealed) -> dict[str, str]:
    """All that the event says, each field as JSON with sorted keys."""
    content = {
        "class_session_id": event.class_session_id,
        "revision": event.revision,
        "type": str(event.type),
        "source": str(event.source),
        "actor_id": event.actor_id,
        "student_id": event.student_id,
        "at": iso(event.at),
        "data": event.data,
        "operation_id": None if event.operation_id is None else str(event.operation_id),
        "before": event.before,
    }
    return {name: _json(value) for name, value in content.items()}


def digest_of(texts: Mapping[str, str]) -> str:
    """SHA-256 over `content_texts`, put together as one JSON object of sorted keys."""
    text = ",".join(f'"{name}":{texts[name]}' for name in sorted(texts))
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()


def content_digest(event: Sealed) -> str:
    """SHA-256 over all that the event says."""
    return digest_of(content_texts(event))


def chained(previous: str, digest: str) -> str:
    """The hash of the event with this content digest, after that of the one before."""
    return hashlib.sha256((previous + digest).encode()).hexdigest()
