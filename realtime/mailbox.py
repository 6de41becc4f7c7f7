"""What one socket has yet to look at."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
from typing import Any

from attendance.payloads import Payload

MAILBOX_MESSAGES = 200
# A bulk change counts as the records that it holds: each may hold a whole class.
MAILBOX_RECORDS = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Mail:
    """
    The content of a mailbox.

    `hole`: messages may be missing. `overflowed`: they are, and so many that a
    snapshot is the shorter way. `beat` is what the pulse had to say last, and `fault`
    that it could not be read. `expired`: the stream's time is over.
    """

    messages: list[Payload]
    hole: bool
    overflowed: bool
    beat: Any
    fault: bool
    expired: bool


class Mailbox:
    """Messages and the heartbeat for one socket: bounded, and nobody ever waits."""

    __slots__ = (
        "_beat",
        "_expired",
        "_fault",
        "_filled",
        "_hole",
        "_messages",
        "_overflowed",
        "_records",
    )

    def __init__(self) -> None:
        self._filled = asyncio.Event()
        self._messages: collections.deque[Payload] = collections.deque()
        self._expired = False
        self._clear()

    def _clear(self) -> None:
        self._filled.clear()
        self._messages.clear()
        self._records = 0
        self._hole = False
        self._overflowed = False
        self._beat: Any = None
        self._fault = False

    def offer(self, message: Payload) -> None:
        """Put a message in; past the limits it and all others are dropped."""
        self._records += records_in(message)
        # One message is always kept, or a class that is larger than the limit would
        # never see a bulk change but by snapshots.
        if self._messages and (
            len(self._messages) >= MAILBOX_MESSAGES or self._records > MAILBOX_RECORDS
        ):
            self._messages.clear()
            self._overflowed = True
        if not self._overflowed:
            self._messages.append(message)
        self._filled.set()

    def mark_hole(self) -> None:
        """Say that messages may have gone missing."""
        self._hole = True
        self._filled.set()

    def offer_beat(self, beat: Any) -> None:
        """Put in what a pulse has read; it replaces what was not looked at."""
        self._beat = beat
        self._filled.set()

    def mark_fault(self) -> None:
        """Say that the pulse could not read."""
        self._fault = True
        self._filled.set()

    def expire(self) -> None:
        """Say that the stream's time is over."""
        self._expired = True
        self._filled.set()

    async def wait(self) -> None:
        """Wait until there is something to look at."""
        await self._filled.wait()

    def take(self) -> Mail:
        """All there is; empties the mailbox."""
        mail = Mail(
            list(self._messages),
            self._hole,
            self._overflowed,
            self._beat,
            self._fault,
            self._expired,
        )
        self._clear()
        return mail


def records_in(message: Payload) -> int:
    """How many records a message is as long as, at least one."""
    return len(message.get("data", {}).get("records", ())) or 1
