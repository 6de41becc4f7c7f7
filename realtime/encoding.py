"""
Frames as they go over the wire, made once for all sockets of the process.

Sockets that watch the same are handed the same object: a message by its feed, a
snapshot or a replay by their pulse. For a thousand of them it becomes JSON once, and
the bytes of a WebSocket frame once.
"""

from __future__ import annotations

import collections
import json
from typing import Any

from attendance.payloads import Payload

# Sockets deal with a message one right after the other, with a few messages at most
# between the first and the last; and a snapshot kept for nothing is large.
KEPT_FRAMES = 8


class Encoded:
    """A frame's text; `prepared` is for what the server makes of it (outlet.py)."""

    __slots__ = ("payload", "prepared", "text")

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.text = json.dumps(payload, separators=(",", ":"))
        self.prepared: Any = None


# By the identity of the payload, which each entry keeps alive: so no other object can
# take its place here.
_kept: collections.OrderedDict[int, Encoded] = collections.OrderedDict()


def encoded(payload: Payload) -> Encoded:
    """
    The payload's frame, perhaps made earlier for another socket.

    Call it in the event loop's thread, with a payload that nobody changes any more.
    """
    found = _kept.get(id(payload))
    if found is None:
        found = _kept[id(payload)] = Encoded(payload)
        if len(_kept) > KEPT_FRAMES:
            _kept.popitem(last=False)
    return found
