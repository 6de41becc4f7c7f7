"""The servers of one test session: given by the environment, or started."""

from __future__ import annotations

import os
import secrets
from urllib.parse import urlsplit

import psycopg
import redis

from .postgres import PostgresServer
from .process import Server, ServerError, end_with_parent
from .redis import RedisServer

# Holds the report's line; there, a parent process has set up the servers.
REPORT_VARIABLE = "ATTENDANCE_TEST_SERVERS"
TOKEN_VARIABLE = "ATTENDANCE_TEST_TOKEN"

# What this process started; process.close_all stops it at the end.
started: list[Server] = []


def ensure_servers() -> None:
    """Put DATABASE_URL, REDIS_URL and a channel prefix into os.environ.

    The workers of pytest-xdist find them there: only the first process starts
    servers. Given servers are used with random names, and nothing is flushed.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        end_with_parent()
    if REPORT_VARIABLE not in os.environ:
        os.environ[TOKEN_VARIABLE] = secrets.token_hex(4)
        report = f"{_ensure_postgres()}, {_ensure_redis()}"
        os.environ[REPORT_VARIABLE] = report
    prefix = f"test-{os.environ[TOKEN_VARIABLE]}-{worker or 'main'}"
    os.environ["ATTENDANCE_CHANNEL_PREFIX"] = prefix


def _ensure_postgres() -> str:
    name, url = _given("DATABASE_URL")
    if url:
        whence = name
        if urlsplit(url).scheme not in ("postgres", "postgresql"):
            raise ServerError(
                f"{name} is not a PostgreSQL URL, and the tests need PostgreSQL: "
                "set TEST_DATABASE_URL, or neither."
            )
    else:
        server = PostgresServer().start()
        started.append(server)
        server.execute("CREATE DATABASE attendance")
        url, whence = server.url_of("attendance"), server.source.whence
    os.environ["DATABASE_URL"] = url
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError as error:
        raise ServerError(f"PostgreSQL of {whence} does not answer: {error}") from None
    return f"PostgreSQL {number // 10000}.{number % 10000} ({whence})"


def _ensure_redis() -> str:
    name, url = _given("REDIS_URL")
    if url:
        whence = name
    else:
        server = RedisServer().start()
        started.append(server)
        url, whence = server.url, server.source.whence
    os.environ["REDIS_URL"] = url
    try:
        with redis.Redis.from_url(
            url, socket_timeout=10, socket_connect_timeout=10
        ) as client:
            about = client.info("server")
    except (redis.RedisError, ValueError) as error:
        raise ServerError(f"Redis of {whence} does not answer: {error}.") from None
    valkey = about.get("valkey_version")
    version = f"Redis: Valkey {valkey}" if valkey else f"Redis {about['redis_version']}"
    return f"{version} ({whence})"


def _given(name: str) -> tuple[str, str]:
    """The variable, of TEST_`name` and `name`, that is set, and its value."""
    for variable in (f"TEST_{name}", name):
        if os.environ.get(variable):
            return variable, os.environ[variable]
    return "", ""
