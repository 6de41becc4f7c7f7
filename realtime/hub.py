"""
From the channel layer to the sockets of this process: one subscription per group.

Sockets do not talk to the broker themselves. So a broker that is down keeps nobody
from connecting, a slow socket holds a bounded number of messages, and a message is
received once per process however many watch.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import uuid
import weakref
from collections.abc import Iterable
from typing import Any

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from attendance.payloads import Payload
from attendance.publisher import publisher

logger = logging.getLogger(__name__)

MAILBOX_LIMIT = 200
# The layers forget group members after 86,400 s: subscribe anew well before.
RESUBSCRIBE_SECONDS = 3600.0
RETRY_SECONDS = 1.0
# Below the time that a server gives a handshake, however many the groups.
SUBSCRIBE_TIMEOUT_SECONDS = 2.0


class Mailbox:
    """
    What one socket has yet to look at: at most MAILBOX_LIMIT messages.

    Past that all are dropped and `lost` is set: the socket reads the event table.
    """

    def __init__(self) -> None:
        self._messages: collections.deque[Payload] = collections.deque()
        self._filled = asyncio.Event()
        self.lost = False

    def offer(self, message: Payload) -> None:
        """Put a message in; never waits."""
        if len(self._messages) >= MAILBOX_LIMIT:
            self._messages.clear()
            self.lost = True
        if not self.lost:
            self._messages.append(message)
        self._filled.set()

    def mark_lost(self) -> None:
        """Say that messages may have gone missing."""
        self.lost = True
        self._filled.set()

    async def wait(self) -> None:
        """Wait until there is something to look at."""
        await self._filled.wait()

    def take(self) -> tuple[list[Payload], bool]:
        """All messages, and whether some are missing; empties the mailbox."""
        messages, lost = list(self._messages), self.lost
        self._messages.clear()
        self._filled.clear()
        self.lost = False
        return messages, lost


class Feed:
    """The subscription to one group, shared by all its mailboxes."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.mailboxes: set[Mailbox] = set()
        self.subscribed = asyncio.Event()
        self._in_trouble = False
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the subscription."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        again = False
        while True:
            try:
                await self._listen(again)
            except Exception as error:
                # Whatever breaks, a feed that ended in silence would leave its screens
                # to the heartbeat for good. Said once an outage.
                if not self._in_trouble:
                    logger.warning(
                        "cannot listen to %s (%s: %s); streams go on by heartbeat",
                        self.group,
                        type(error).__name__,
                        error,
                    )
                self._in_trouble = True
                self.subscribed.clear()
                await asyncio.sleep(RETRY_SECONDS)
            again = True

    async def _listen(self, again: bool) -> None:
        """Listen for RESUBSCRIBE_SECONDS on a channel of its own."""
        layer: Any = get_channel_layer()
        channel = await _new_channel(layer)
        try:
            await layer.group_add(self.group, channel)
            self._in_trouble = False
            self.subscribed.set()
            if again:
                # Nobody heard what was said in between.
                for mailbox in self.mailboxes:
                    mailbox.mark_lost()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESUBSCRIBE_SECONDS):
                    while True:
                        envelope = await layer.receive(channel)
                        for mailbox in self.mailboxes:
                            mailbox.offer(envelope["message"])
        finally:
            # With the broker away there is nothing left to leave.
            with contextlib.suppress(RedisError, OSError):
                await layer.group_discard(self.group, channel)
            layer.channels.pop(channel, None)


async def _new_channel(layer: Any) -> str:
    """
    A channel of the layer.

    The Redis layer notes a new channel before it subscribes to it and keeps the note
    when that fails: one for every try of an outage, unless it is taken back here.
    """
    mark = uuid.uuid4().hex
    try:
        channel: str = await layer.new_channel(mark)
    except (RedisError, OSError):
        for name in [name for name in layer.channels if mark in name]:
            del layer.channels[name]
        raise
    return channel


class Hub:
    """All feeds of one event loop."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}

    async def join(self, groups: Iterable[str], mailbox: Mailbox) -> None:
        """
        Deliver the groups' messages to `mailbox` from now on.

        Returns when the subscriptions stand, or after a moment without the broker:
        then the heartbeat carries the stream until it is back.
        """
        joined = []
        for group in groups:
            feed = self._feeds.get(group)
            if feed is None:
                feed = self._feeds[group] = Feed(group)
            feed.mailboxes.add(mailbox)
            joined.append(feed)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_SECONDS):
                for feed in joined:
                    await feed.subscribed.wait()

    async def leave(self, groups: Iterable[str], mailbox: Mailbox) -> None:
        """Stop delivering; the last one to leave a group ends its subscription."""
        ending = []
        for group in groups:
            feed = self._feeds.get(group)
            if feed is None:
                continue
            feed.mailboxes.discard(mailbox)
            if not feed.mailboxes:
                del self._feeds[group]
                ending.append(feed.stop())
        await asyncio.gather(*ending)


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = (
    weakref.WeakKeyDictionary()
)


def current_hub() -> Hub:
    """The hub of the running event loop."""
    publisher.attach_to_running_loop()
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
