"""The WebSocket paths."""

from channels.routing import URLRouter
from django.urls import path, re_path

from attendance import converters  # noqa: F401  (registers <id:...>)
from realtime.consumers import (
    ClassSessionConsumer,
    RefusingConsumer,
    StudentConsumer,
)

websocket_urlpatterns = [
    path(
        "ws/class-sessions/<id:class_session_id>/",
        ClassSessionConsumer.as_asgi(),
    ),
    path("ws/me/", StudentConsumer.as_asgi()),
    re_path(r"", RefusingConsumer.as_asgi()),
]
websocket_application = URLRouter(websocket_urlpatterns)
