"""The background publisher: bounded, in order, never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer

from attendance.publisher import Publication, Publisher
from tests.servers import RedisServer


@pytest.fixture
def redis(settings: Any) -> Iterator[RedisServer]:
    """A Redis of the test's own behind the channel layer."""
    with RedisServer() as server:
        layer = {**settings.CHANNEL_LAYERS["default"]}
        host = {**layer["CONFIG"]["hosts"][0], "address": server.url}
        layer["CONFIG"] = {**layer["CONFIG"], "hosts": [host]}
        settings.CHANNEL_LAYERS = {"default": layer}
        channel_layers.backends.clear()
        yield server
    channel_layers.backends.clear()


def publication(number: int) -> Publication:
    return Publication("group", {"type": "a.message", "number": number}, f"#{number}")


async def listen(publisher: Publisher, numbers: range) -> list[int]:
    """What a member of the group hears while `numbers` are published."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    for number in numbers:
        publisher.submit(publication(number))
    heard = [(await layer.receive(channel))["number"] for _ in numbers]
    await layer.flush()
    return heard


async def test_it_sends_in_order(redis: RedisServer) -> None:
    publisher = Publisher()
    async with asyncio.timeout(10):
        assert await listen(publisher, range(200)) == list(range(200))
    assert publisher.flush()
    assert (publisher.failed, publisher.dropped) == (0, 0)


async def test_it_keeps_the_order_of_what_has_piled_up(redis: RedisServer) -> None:
    """Also where several are sent in one round trip."""
    publisher = Publisher()
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    redis.freeze()
    for number in range(200):
        publisher.submit(publication(number))
    redis.thaw()
    async with asyncio.timeout(10):
        heard = [(await layer.receive(channel))["number"] for _ in range(200)]
    await layer.flush()

    assert heard == list(range(200))
    assert publisher.failed == 0


async def test_an_outage_is_counted_and_logged_once(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher()
    redis.kill()
    with caplog.at_level(logging.INFO, "attendance.publisher"):
        for number in range(5):
            publisher.submit(publication(number))
        assert await asyncio.to_thread(publisher.flush, 20)
        redis.start()
        async with asyncio.timeout(20):
            assert await listen(publisher, range(5, 8)) == [5, 6, 7]

    assert publisher.failed == 5
    failure, recovery = caplog.messages
    assert "#0 to group" in failure
    assert "works again after 5" in recovery


async def test_with_a_hung_broker_the_oldest_make_room(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher(limit=10)
    redis.freeze()
    for number in range(100):
        publisher.submit(publication(number))
    # Ten may be on their way, ten wait, all others had to go.
    assert publisher.dropped >= 80
    assert sum("queue full" in message for message in caplog.messages) == 1
    redis.thaw()
    assert await asyncio.to_thread(publisher.flush, 20)
