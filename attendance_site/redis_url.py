"""
REDIS_URL: one server, or the one that Sentinel names.

    redis://[[user]:password@]host:6379/0              and rediss:// for TLS
    redis+sentinel://[[user]:password@]host1:26379,host2:26379/mymaster/0
                                                       and rediss+sentinel://

User and password before the `@` are those of the Redis servers. The sentinels have
`?sentinel_username=` and `?sentinel_password=`; `?ssl_ca_certs=` is for both.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SENTINEL_PORT = 26379
# A hung Redis costs the publisher two seconds, never an answer.
LIMITS = {"socket_timeout": 2, "socket_connect_timeout": 2}
_ONE_SERVER = ("redis", "rediss", "unix")
_SENTINEL = ("redis+sentinel", "rediss+sentinel")
_NO_ADDRESS = (
    "REDIS_URL names a sentinel that is none: it must be host:port. In a password / is "
    "written %2F, and so are : @ ? # [ and ] (%3A %40 %3F %23 %5B %5D)."
)
_PARAMETERS = ("sentinel_username", "sentinel_password", "ssl_ca_certs")


def channel_host(url: str) -> dict[str, Any]:
    """
    The channel layer's host for that URL, as channels_redis takes it.

    Raises ImproperlyConfigured with a sentence and nothing of the URL in it: a password
    that is not escaped may end up in any part.
    """
    scheme = url.partition("://")[0].lower()
    if scheme in _ONE_SERVER:
        return {"address": url, **LIMITS, "health_check_interval": 15}
    if scheme in _SENTINEL:
        return _behind_sentinel(url, tls=scheme.startswith("rediss"))
    raise ImproperlyConfigured(
        f"REDIS_URL must begin with one of {', '.join([*_ONE_SERVER, *_SENTINEL])}, "
        "followed by ://."
    )


def _behind_sentinel(url: str, *, tls: bool) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ImproperlyConfigured(_NO_ADDRESS) from None
    who, _, addresses = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    sentinels = [_address(text) for text in addresses.split(",")]
    master, _, database = parts.path.strip("/").partition("/")
    if not master:
        raise ImproperlyConfigured(
            "REDIS_URL names sentinels, but not whom they watch: end it with the "
            "master's name, such as /mymaster/0."
        )
    given = dict(parse_qsl(parts.query))
    if set(given) - set(_PARAMETERS):
        raise ImproperlyConfigured(
            "REDIS_URL has a parameter that means nothing here; with Sentinel it may "
            f"have {', '.join(_PARAMETERS)}."
        )
    host = {
        "username": unquote(user),
        "password": unquote(password),
        "ssl_ca_certs": given.get("ssl_ca_certs"),
    }
    sentinel = {
        "username": given.get("sentinel_username"),
        "password": given.get("sentinel_password"),
        "ssl_ca_certs": given.get("ssl_ca_certs"),
    }
    encrypted = {"ssl": True} if tls else {}
    return {
        "sentinels": sentinels,
        "master_name": unquote(master),
        "sentinel_kwargs": {**LIMITS, **encrypted, **_without_blanks(sentinel)},
        "db": _database(database),
        **LIMITS,
        "health_check_interval": 15,
        **encrypted,
        **_without_blanks(host),
    }


def _address(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise ImproperlyConfigured(_NO_ADDRESS)
    return host, port or SENTINEL_PORT


def _database(text: str) -> int:
    if text and not text.isdecimal():
        raise ImproperlyConfigured(
            "What follows the master's name in REDIS_URL is the database's number: it "
            "must be a number."
        )
    return int(text or 0)


def _without_blanks(options: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in options.items() if value}
