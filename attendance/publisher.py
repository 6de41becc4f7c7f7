"""
The way of committed messages to the channel layer: never in anybody's way.

A message is put on a bounded queue and sent by one background thread with an event
loop of its own, so a slow, hung or absent broker costs a request nothing. What is lost
there is not lost to anybody: the event table has it, and every stream heals from it.
"""

from __future__ import annotations

import asyncio
import atexit
import collections
import dataclasses
import logging
import os
import threading
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from attendance import metrics
from attendance.channel_layer import RedisChannelLayer

logger = logging.getLogger(__name__)

QUEUE_LIMIT = 1000
FLUSH_SECONDS = 2.0
# What waits is sent together, so many at a time: a check-in has two messages, and in a
# rush others come while these are sent.
BATCH = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Publication:
    """One channel-layer message for one group; `context` names it in the log."""

    group: str
    message: dict[str, Any]
    context: str


class Publisher:
    """
    Sends publications in order, from the background.

    Lives as long as the process. `failed` and `dropped` count what could not be sent
    and what had to make room; an outage is logged when it begins and when it ends.
    """

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self._limit = limit
        self._reset()
        # A forked worker has neither the thread nor the parent's queue.
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.flush)

    def _reset(self) -> None:
        self._queue: collections.deque[Publication] = collections.deque()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        # Whether the loop is a server's, not that of the thread.
        self._is_guest = False
        self._idle = threading.Event()
        self._idle.set()
        # Taken off the queue, and not yet known to have been sent.
        self._under_way = 0
        self.failed = 0
        self.dropped = 0
        self._outage = 0

    def submit(self, publication: Publication) -> None:
        """Queue `publication` and return at once; the oldest makes room if need be."""
        with self._lock:
            if self._loop is None and _lives_in_its_loop(get_channel_layer()):
                return  # nobody in this process listens, and nobody else can
            if len(self._queue) >= self._limit:
                self._queue.popleft()
                if self.dropped == 0:
                    logger.error(
                        "publish queue full at %d: dropping the oldest; "
                        "streams heal from the event table",
                        self._limit,
                    )
                self.dropped += 1
                metrics.PUBLICATIONS_DROPPED.inc()
            # While it is sending it looks at the queue again by itself. A server's loop
            # may have ended in the middle of that, and is always told.
            must_wake = self._idle.is_set() or self._is_guest
            self._queue.append(publication)
            self._show_depth()
            self._idle.clear()
            if self._loop is None:
                self._start_thread()
            loop, wake = self._loop, self._wake
        if must_wake and loop is not None and wake is not None:
            try:
                loop.call_soon_threadsafe(wake.set)
            except RuntimeError:
                # The loop has ended with its server; nobody listens any more.
                with self._lock:
                    self._queue.clear()
                    self._under_way = 0
                    self._show_depth()
                    self._idle.set()

    def attach_to_running_loop(self) -> None:
        """
        Send from the loop that runs now, if the channel layer lives in it.

        The in-memory layer's queues belong to the server's loop and would not wake a
        reader there when fed from another. Any other layer keeps the thread.
        """
        if not _lives_in_its_loop(get_channel_layer()):
            return
        with self._lock:
            loop = asyncio.get_running_loop()
            if self._loop is loop:
                return
            self._loop, self._wake = loop, asyncio.Event()
            self._is_guest = True
            # Kept here, because the loop itself keeps no tasks alive.
            self._task = loop.create_task(self._send_all(self._wake))

    def flush(self, timeout: float = FLUSH_SECONDS) -> bool:
        """Wait up to `timeout` seconds until the queue is sent; say whether it is."""
        return self._idle.wait(timeout)

    def _start_thread(self) -> None:
        started = threading.Event()

        def run() -> None:
            async def main() -> None:
                self._loop = asyncio.get_running_loop()
                self._wake = asyncio.Event()
                started.set()
                await self._send_all(self._wake)

            asyncio.run(main())

        threading.Thread(target=run, name="publisher", daemon=True).start()
        started.wait()

    async def _send_all(self, wake: asyncio.Event) -> None:
        while True:
            await wake.wait()
            wake.clear()
            while batch := self._next_batch():
                await self._send(batch)

    def _next_batch(self) -> list[Publication]:
        """Take what is to be sent together; nothing is left when it is empty."""
        # In an outage one tries whether it is over: what fails is lost to the queue.
        can_batch = isinstance(get_channel_layer(), RedisChannelLayer)
        at_once = BATCH if can_batch and not self._outage else 1
        with self._lock:
            number = min(at_once, len(self._queue))
            batch = [self._queue.popleft() for _ in range(number)]
            self._under_way = number
            self._show_depth()
            if not batch:
                self._idle.set()
            return batch

    def _show_depth(self) -> None:
        metrics.PUBLISH_QUEUE.set(len(self._queue) + self._under_way)

    async def _send(self, batch: list[Publication]) -> None:
        layer: Any = get_channel_layer()
        first, number = batch[0], len(batch)
        try:
            if number == 1:
                await layer.group_send(first.group, first.message)
            else:
                await layer.group_send_all([(p.group, p.message) for p in batch])
        except Exception as error:
            # Whatever a broker's client raises, the answer is the same: count it, say
            # so once, go on. The change is committed and the streams will heal.
            self.failed += number
            metrics.PUBLICATIONS_FAILED.inc(number)
            if not self._outage:
                logger.error(
                    "publishing failed (%s: %s), first for %s to %s; "
                    "streams heal from the event table",
                    type(error).__name__,
                    error,
                    first.context,
                    first.group,
                )
            self._outage += number
        else:
            metrics.PUBLICATIONS_SENT.inc(number)
            if self._outage:
                logger.warning(
                    "publishing works again after %d failed messages", self._outage
                )
                self._outage = 0


def _lives_in_its_loop(layer: Any) -> bool:
    return isinstance(layer, InMemoryChannelLayer)


publisher = Publisher()
