"""Publishing and watching by Channels' own means, as in its tutorial."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer

from attendance import events, selectors
from attendance.publisher import Publication
from realtime import authority


def publish_at_once(publication: Publication) -> None:
    """Called on commit, in the request's thread."""
    layer = get_channel_layer()
    async_to_sync(layer.group_send)(publication.group, publication.message)


class ClassSessionConsumer(AsyncJsonWebsocketConsumer):
    """A snapshot, and then every message of the group."""

    async def connect(self) -> None:
        class_session_id = self.scope["url_route"]["kwargs"]["class_session_id"]
        credentials = authority.credentials_of(self.scope)
        watchers = database_sync_to_async(authority.watchers)
        if credentials is None or not await watchers([credentials], class_session_id):
            await self.close()
            return
        self.group = events.class_session_group(class_session_id)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        snapshot = database_sync_to_async(selectors.snapshot)
        await self.send_json(await snapshot(class_session_id))

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def attendance_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event["message"])
