"""
The live stream's protocol, version 1.

`/ws/class-sessions/<id>/` is for the session's teachers and administrators: with the
session cookie and an `Origin` equal to the `Host`, or with `Authorization: Bearer`.
`/ws/me/` is for a student's own records. Anyone else is refused with HTTP 403.

Server to client, one JSON object per text frame:

<- {"type": "snapshot", "revision", "class_session", "records"}
   First frame, and the answer whenever the exact missing messages cannot be given.
   On /ws/me/: {"type": "snapshot", "records"}, the newest 100.
<- {"type": "student_joined" | "attendance_update" | "roster_update" |
    "session_update", "revision", "class_session_id", "timestamp", "data"}
   One committed change. The same JSON value whether live or replayed. A
   session_update with the event "opened" or "reopened" is followed by a snapshot.
<- {"type": "heartbeat", "revision"}
   At least every 10 s; the revision is the database's, and all up to it has been sent.
   No revision on /ws/me/. With "conflicts" once a mark has been overruled: another
   number than before means that the conflicts, which are no messages, have changed.
   Clients pass over further keys.
<- {"type": "error", "code": "malformed", "detail"}
   The answer to a frame that cannot be understood; the connection stays.

Client to server:

=> {"type": "resync", "after": N}
   The messages after N in order, or a snapshot; the sequence restarts there.
=> {"type": "ping"}
   A heartbeat, by what the database says after the ping came.

`?after=N` on connecting: the messages after N instead of the snapshot, a heartbeat
when there are none. A snapshot all the same when N lies ahead, too far back or is no
number, and when the roster changed without messages, as it does while the session is
not open. `resync` answers alike.

Every connection sees revisions ascending without holes from its first frame on; a
snapshot or a resync restarts the sequence.

Bounds: "too far back" is more than 200 messages, or more than 1,000 records in several
messages, of which a bulk change holds many (selectors.replay). As much may wait for a
slow reader (realtime/mailbox.py); past that it is dropped, and one snapshot sent.

Close codes, all of which but the first ask to connect again, with ?after=:

4403  no longer allowed to watch; within one heartbeat
4408  did not read what was sent for ATTENDANCE_UNREAD_SECONDS
1009  sent a frame over 16 KiB
1011  a fault here, as when the database is away
1012  the server stops, or the stream has reached its age. The reason is the number of
      milliseconds after which to connect again: drawn at random on a stop, so that a
      hall of screens does not come back in the same instant; 0 at the end of its age.

Between the processes, on the channel layer and never seen by clients: the messages
above, each as {"type": "attendance.message", "message": {...}, "request_id"}, where the
id is that of the request that committed it and is for the log; {"type":
"courses_changed"} and {"type": "beat_now"} (attendance/events.py); and {"type":
"probe", "nonce"}, by which a process finds out that its subscription stands
(realtime/hub.py).
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from attendance.events import FOLLOWED_BY_SNAPSHOT
from attendance.payloads import Payload

MAX_FRAME_BYTES = 16 * 1024
CLOSE_FORBIDDEN = 4403
CLOSE_NOT_READING = 4408
CLOSE_TOO_BIG = 1009
CLOSE_FAULT = 1011
CLOSE_RESTART = 1012


class MalformedFrame(Exception):
    """A client's frame that means nothing; the text says what was expected."""


# More than either database can look for is as good as this.
BEYOND_ANY_REVISION = 2**62


@dataclasses.dataclass(frozen=True, slots=True)
class Resync:
    """The client asks for the messages after `after`."""

    after: int


@dataclasses.dataclass(frozen=True, slots=True)
class Ping:
    """The client asks for a heartbeat."""


def heartbeat(state: Payload) -> Payload:
    """A class session's heartbeat frame."""
    return {"type": "heartbeat", **state}


# On a student's own stream; one object, so that it becomes JSON once for all.
STUDENT_HEARTBEAT: Payload = {"type": "heartbeat"}


def return_after(milliseconds: int) -> str:
    """The reason that goes with CLOSE_RESTART: when to connect again."""
    return str(milliseconds)


def malformed(detail: str) -> Payload:
    """The answer to a frame that means nothing."""
    return {"type": "error", "code": "malformed", "detail": detail}


def student_snapshot(records: list[Payload]) -> Payload:
    """The first frame of a student's own stream."""
    return {"type": "snapshot", "records": records}


def needs_snapshot(message: Payload) -> bool:
    """Whether this message is followed by a snapshot."""
    return (
        message["type"] == "session_update"
        and message["data"]["event"] in FOLLOWED_BY_SNAPSHOT
    )


def parse_client_frame(text: str | None) -> Resync | Ping:
    """What a client's frame says. Raises MalformedFrame; None stands for binary."""
    if text is None:
        raise MalformedFrame("Send JSON as text, not binary.")
    try:
        frame: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedFrame("Send one JSON object per frame.") from None
    if not isinstance(frame, dict):
        raise MalformedFrame("Send one JSON object per frame.")
    if frame.get("type") == "ping":
        return Ping()
    if frame.get("type") == "resync":
        after = frame.get("after")
        if isinstance(after, bool) or not isinstance(after, int) or after < 0:
            raise MalformedFrame('"after" is a whole number of at least 0.')
        return Resync(min(after, BEYOND_ANY_REVISION))
    raise MalformedFrame('"type" is "resync" or "ping".')
