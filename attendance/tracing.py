"""
For which HTTP request the running code works.

An id joins what that request leaves behind: its lines in the log, the messages that it
committed, and the frames that other processes make of them. It travels beside a
message, never in it.
"""

from __future__ import annotations

import contextvars
import dataclasses
from typing import Any


@dataclasses.dataclass(slots=True)
class Trace:
    """
    One request: its id, and the messages that it committed.

    `committed` holds their class sessions and revisions, which name one event row each.
    """

    request_id: str
    committed: list[tuple[int, int]] = dataclasses.field(default_factory=list)


_current: contextvars.ContextVar[Trace | None] = contextvars.ContextVar(
    "trace", default=None
)


def begin(trace: Trace) -> contextvars.Token[Trace | None]:
    """Work for that request from now on; `end` takes what this returns."""
    return _current.set(trace)


def end(token: contextvars.Token[Trace | None]) -> None:
    """Work for whatever it was before `begin`."""
    _current.reset(token)


def request_id() -> str:
    """The id of the request that runs here; empty outside of any."""
    trace = _current.get()
    return trace.request_id if trace is not None else ""


def note_committed(message: dict[str, Any]) -> None:
    """Keep in mind that the request has committed this message."""
    trace = _current.get()
    if trace is not None and "revision" in message:
        trace.committed.append((message["class_session_id"], message["revision"]))
