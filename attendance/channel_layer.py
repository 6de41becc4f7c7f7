"""The channel layer over Redis, with a way to say several things at once."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer


class RedisChannelLayer(RedisPubSubChannelLayer):
    """
    channels_redis' own, and `group_send_all`.

    A message by itself costs the publisher's loop a round trip, of which it does
    nothing but wait for its turn among the threads that answer requests.
    """

    async def group_send_all(self, sent: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """
        As `group_send` for each group and message, in this order, in one round trip.

        Raises what the first one that fails raises; whether others were sent is then
        not known.
        """
        layer = self._get_layer()
        by_shard: dict[Any, list[tuple[str, bytes]]] = collections.defaultdict(list)
        for group, message in sent:
            channel = layer._get_group_channel_name(group)
            shard = layer._get_shard(channel)
            by_shard[shard].append((channel, self.serialize(message)))
        for shard, messages in by_shard.items():
            # As the shard's own `publish`: its connection is for one at a time.
            async with shard._lock:
                shard._ensure_redis()
                pipeline = shard._redis.pipeline(transaction=False)
                for channel, content in messages:
                    pipeline.publish(channel, content)
                await pipeline.execute()
