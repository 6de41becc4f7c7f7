"""
From the channel layer to the sockets of this process: one subscription per group.

Sockets do not talk to the broker themselves. So a broker that is down keeps nobody
from connecting, a slow socket holds a bounded number of messages, and a message is
received once per process however many watch.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar, cast

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from attendance import events
from attendance.payloads import Payload
from attendance.publisher import publisher
from realtime.pulse import Pulse

logger = logging.getLogger(__name__)

# The layers forget group members after 86,400 s: subscribe anew well before.
RESUBSCRIBE_SECONDS = 3600.0
RETRY_SECONDS = 1.0
# Below the time that a server gives a handshake, however many the groups.
SUBSCRIBE_TIMEOUT_SECONDS = 2.0
# What a feed sends itself: never for a browser, and other processes pass it over.
PROBE_TYPE = "probe"
PROBE_PAUSE_SECONDS = 0.02
PROBE_TIMEOUT_SECONDS = 2.0

P = TypeVar("P", bound=Pulse[Any])


class Listener(Protocol):
    """Who hears a group: a socket's mailbox, or a pulse."""

    def offer(self, message: Payload) -> None:
        """Take a message; must not wait."""

    def mark_hole(self) -> None:
        """Take note that messages may have gone missing."""


class Feed:
    """
    The subscription to one group, shared by all its listeners.

    The Redis layer does not wait for the broker to confirm a subscription, and what is
    published in between is lost in silence. So a feed rings its own bell, and is
    `subscribed` once it hears it.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self.listeners: set[Listener] = set()
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
                await asyncio.sleep(RETRY_SECONDS)
            again = True

    async def _listen(self, again: bool) -> None:
        """Listen for RESUBSCRIBE_SECONDS on a channel of its own."""
        layer: Any = get_channel_layer()
        channel = await _new_channel(layer)
        try:
            await layer.group_add(self.group, channel)
            await self._hear_own_bell(layer, channel)
            self._in_trouble = False
            self.subscribed.set()
            if again:
                # Nobody heard what was said in between.
                for listener in self.listeners:
                    listener.mark_hole()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESUBSCRIBE_SECONDS):
                    while True:
                        await self._receive(layer, channel)
        finally:
            self.subscribed.clear()
            # With the broker away there is nothing left to leave.
            with contextlib.suppress(RedisError, OSError):
                await layer.group_discard(self.group, channel)
            layer.channels.pop(channel, None)

    async def _hear_own_bell(self, layer: Any, channel: str) -> None:
        """Return when the subscription stands. Raises TimeoutError when it does not."""
        probe = {"type": PROBE_TYPE, "nonce": uuid.uuid4().hex}
        ringing = asyncio.create_task(_ring(layer, self.group, probe))
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                while await self._receive(layer, channel) != probe:
                    pass
        except TimeoutError:
            raise TimeoutError("a probe was not heard") from None
        finally:
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)

    async def _receive(self, layer: Any, channel: str) -> Payload:
        """Hand on the next message, and return it; probes are nobody's business."""
        envelope = await layer.receive(channel)
        message: Payload = envelope["message"]
        if message["type"] != PROBE_TYPE:
            for listener in self.listeners:
                listener.offer(message)
            self._log(message, envelope.get("request_id", ""))
        return message

    def _log(self, message: Payload, request_id: str) -> None:
        """One line for each message, however many sockets make a frame of it."""
        if "revision" in message and logger.isEnabledFor(logging.INFO):
            logger.info(
                "%s revision %d of class session %d heard on %s",
                message["type"],
                message["revision"],
                message["class_session_id"],
                self.group,
                extra={
                    "request_id": request_id,
                    "class_session": message["class_session_id"],
                    "revision": message["revision"],
                    "listeners": len(self.listeners),
                },
            )


async def _ring(layer: Any, group: str, probe: Payload) -> None:
    """Send the probe until told to stop: the first ones may come too early."""
    envelope = {"type": events.MESSAGE_TYPE, "message": probe}
    pause = PROBE_PAUSE_SECONDS
    while True:
        with contextlib.suppress(RedisError, OSError):
            await layer.group_send(group, envelope)
        await asyncio.sleep(pause)
        pause *= 2


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
    """All feeds and pulses of one event loop."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}
        self._pulses: dict[str, Pulse[Any]] = {}

    async def join(self, groups: Iterable[str], listener: Listener) -> None:
        """
        Deliver the groups' messages to `listener` from now on.

        Returns when the subscriptions stand, or after a moment without the broker:
        then the heartbeat carries the stream until it is back.
        """
        joined = [self._feed(group) for group in groups]
        for feed in joined:
            feed.listeners.add(listener)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_SECONDS):
                for feed in joined:
                    await feed.subscribed.wait()

    async def leave(self, groups: Iterable[str], listener: Listener) -> None:
        """Stop delivering; the last one to leave a group ends its subscription."""
        ending = []
        for group in groups:
            feed = self._feeds.get(group)
            if feed is None:
                continue
            feed.listeners.discard(listener)
            if not feed.listeners:
                del self._feeds[group]
                ending.append(feed.stop())
        await asyncio.gather(*ending)

    def pulse(self, name: str, make: Callable[[], P]) -> P:
        """The pulse of that name; `make` makes it where there is none."""
        pulse = self._pulses.get(name)
        if pulse is None:
            pulse = self._pulses[name] = make()
            for group in pulse.groups:
                self._feed(group).listeners.add(pulse)
        return cast(P, pulse)

    async def release_pulse(self, name: str) -> None:
        """End the pulse of that name if nobody is left to beat for."""
        pulse = self._pulses.get(name)
        if pulse is not None and not pulse.members:
            del self._pulses[name]
            pulse.stop()
            await self.leave(pulse.groups, pulse)

    def _feed(self, group: str) -> Feed:
        feed = self._feeds.get(group)
        if feed is None:
            feed = self._feeds[group] = Feed(group)
        return feed


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = (
    weakref.WeakKeyDictionary()
)


def current_hub() -> Hub:
    """The hub of the running event loop."""
    publisher.attach_to_running_loop()
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
