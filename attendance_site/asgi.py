"""
The ASGI entry point: the live stream, and in the one-process arrangement HTTP too.

In production a web server in front sends `/ws/` here and everything else to WSGI.
"""

import os

from channels.routing import ProtocolTypeRouter
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")

# Sets Django up, which the imports below need.
wsgi_application = get_wsgi_application()

from django.conf import settings  # noqa: E402

from attendance_site.http_bridge import HTTPBridge  # noqa: E402
from attendance_site.startup import (  # noqa: E402
    refuse_demo_settings,
    spare_full_collections,
)
from realtime.routing import websocket_application  # noqa: E402

refuse_demo_settings()

application = ProtocolTypeRouter(
    {
        "http": HTTPBridge(
            wsgi_application,
            threads=settings.HTTP_THREADS,
            max_body=settings.MAX_REQUEST_BYTES,
        ),
        "websocket": websocket_application,
    }
)

spare_full_collections()
