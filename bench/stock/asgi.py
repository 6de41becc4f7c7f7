"""HTTP by Django's ASGI handler, messages sent within the request."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.stock.settings")

# Sets Django up, which the imports below need.
http_application = get_asgi_application()

from django.urls import path  # noqa: E402

from attendance.publisher import publisher  # noqa: E402
from bench.stock.consumers import ClassSessionConsumer, publish_at_once  # noqa: E402

publisher.submit = publish_at_once  # type: ignore[method-assign]

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": URLRouter(
            [
                path(
                    "ws/class-sessions/<int:class_session_id>/",
                    ClassSessionConsumer.as_asgi(),
                )
            ]
        ),
    }
)
