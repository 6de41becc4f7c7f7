"""REDIS_URL: what the channel layer is told for each of its forms."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from attendance_site.redis_url import channel_host

LIMITS = {"socket_timeout": 2, "socket_connect_timeout": 2}


@pytest.mark.parametrize(
    "url", ["redis://host:6379/0", "rediss://:secret@host/1", "unix:///run/redis.sock"]
)
def test_one_server(url: str) -> None:
    host = channel_host(url)
    assert host == {"address": url, "health_check_interval": 15, **LIMITS}


def test_sentinel() -> None:
    assert channel_host("redis+sentinel://one:26380,two/mymaster/3") == {
        "sentinels": [("one", 26380), ("two", 26379)],
        "master_name": "mymaster",
        "sentinel_kwargs": LIMITS,
        "db": 3,
        "health_check_interval": 15,
        **LIMITS,
    }


def test_sentinel_with_everything() -> None:
    host = channel_host(
        "rediss+sentinel://ann:p%40ss@[::1]:26379/main"
        "?sentinel_username=sam&sentinel_password=s%26s&ssl_ca_certs=/ca.pem"
    )
    assert host["sentinels"] == [("::1", 26379)]
    assert (host["username"], host["password"]) == ("ann", "p@ss")
    assert (host["db"], host["ssl"], host["ssl_ca_certs"]) == (0, True, "/ca.pem")
    assert host["sentinel_kwargs"] == {
        "username": "sam",
        "password": "s&s",
        "ssl": True,
        "ssl_ca_certs": "/ca.pem",
        **LIMITS,
    }


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://:secret@host/", "must begin with one of redis, rediss"),
        ("redis+sentinel://:secret@host:26379", "the master's name"),
        ("redis+sentinel://:secret@host:26379/m/first", "must be a number"),
        ("redis+sentinel://:secret@,host/m", "it must be host:port"),
        ("redis+sentinel://:secret@host:x/m", "it must be host:port"),
        ("redis+sentinel://:pw@host/m?timeout=5&secret=1", "it may have sentinel_"),
        # What is not escaped in a password ends the part that it stands in.
        ("redis+sentinel://:secret/pw@host:26379/m/0", "%2F"),
        ("redis+sentinel://:1/secret@host:26379/m/0", "%2F"),
        ("redis+sentinel://:pw@host:26379/m/secret", "must be a number"),
        ("redis+sentinel://:secret?secret=pw@host:26379/m/0", "%2F"),
        ("redis+sentinel://:secret#pw@host:26379/m/0", "%2F"),
        ("redis+sentinel://:pw[secret@host:26379/m/0", "%2F"),
    ],
)
def test_what_makes_no_sense(url: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said) as refusal:
        channel_host(url)
    assert "secret" not in str(refusal.value)
