"""The project's settings, with the defaults where the project departs from them."""

import dj_database_url

from attendance_site import settings as _ours

globals().update({n: value for n, value in vars(_ours).items() if n.isupper()})

ASGI_APPLICATION = "bench.stock.asgi.application"
DATABASES = {"default": dj_database_url.parse(_ours.DATABASE_URL)}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [_ours.REDIS_URL], "prefix": "stock"},
    }
    if _ours.REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
