"""
Whether this process could serve now: what it asks of the database and of Redis.

Each side has LIMIT_SECONDS to answer, also when it hangs: it is asked from a thread of
its own. A side that hangs holds that one thread however often somebody asks, because
whoever asks meanwhile waits for the same answer.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from channels_redis.utils import create_pool, decode_hosts
from django.conf import settings
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

LIMIT_SECONDS = 1.0
# An answer this old is as good as a new one, so asking often costs nothing.
FRESH_SECONDS = 1.0

OK = "ok"
# Refused, or answered with an error.
UNAVAILABLE = "unavailable"
# Did not answer within the limit.
TIMEOUT = "timeout"
# A migration of this version has not been applied.
UNAPPLIED = "unapplied"
# Nobody knows while the database does not answer.
UNKNOWN = "unknown"
# The demo's channel layer lies in memory.
NOT_USED = "not_used"
GOOD = (OK, NOT_USED)

Checks = dict[str, str]

# So that the thread of a question to a host that has gone ends by itself, too.
_POSTGRESQL_LIMITS = {
    "connect_timeout": 2,
    "keepalives_idle": 2,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
}


class Question:
    """
    Something to ask of another server, with a limit to the waiting.

    `ask` is called in a thread; `silence` is the answer when it does not return in
    time.
    """

    def __init__(self, ask: Callable[[], Checks], silence: Checks) -> None:
        self._ask = ask
        self._silence = silence
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="readiness")
        self._asked: Future[Checks] | None = None
        self._fresh_until = 0.0

    def begin(self) -> Future[Checks]:
        """The answer that is on its way, or has just come, or is asked for now."""
        with self._lock:
            done = self._asked is None or self._asked.done()
            if self._asked is None or (done and time.monotonic() > self._fresh_until):
                self._asked = self._pool.submit(self._answer)
            return self._asked

    def _answer(self) -> Checks:
        answer = self._ask()
        self._fresh_until = time.monotonic() + FRESH_SECONDS
        return answer

    def wait(self, asked: Future[Checks], deadline: float) -> Checks:
        """The answer, or silence when that is after `deadline` (monotonic seconds)."""
        try:
            return asked.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return self._silence


def ask_database() -> Checks:
    """Whether a new connection can be had, and whether its tables are as we know."""
    connection = connections["default"].copy()
    if connection.vendor == "postgresql":
        connection.settings_dict["OPTIONS"].update(_POSTGRESQL_LIMITS)
    try:
        applied = _applied_migrations(connection)
    except Error:
        return {"database": UNAVAILABLE, "migrations": UNKNOWN}
    finally:
        connection.close()
    return {
        "database": OK,
        # Those of a later version, which may run beside this one, are none of ours.
        "migrations": OK if _known_migrations() <= applied else UNAPPLIED,
    }


def _applied_migrations(connection: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    # The recorder's own query would go by the alias, to a connection without limits.
    if not MigrationRecorder(connection).has_table():
        return set()
    table = connection.ops.quote_name(MigrationRecorder.Migration._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {table}")
        return {(app, name) for app, name in cursor.fetchall()}


@functools.cache
def _known_migrations() -> set[tuple[str, str]]:
    """The migrations of this version; reading them takes long enough to do it once."""
    return set(MigrationLoader(None).disk_migrations)


def ask_redis() -> Checks:
    """Whether the channel layer's servers answer."""
    config = settings.CHANNEL_LAYERS["default"].get("CONFIG", {})
    if "hosts" not in config:
        return {"redis": NOT_USED}

    async def ping() -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            for host in decode_hosts(config["hosts"]):
                async with Redis.from_pool(create_pool(host)) as redis:
                    await redis.execute_command("PING")

    try:
        asyncio.run(ping())
    except TimeoutError:
        return {"redis": TIMEOUT}
    except (RedisError, OSError):
        return {"redis": UNAVAILABLE}
    return {"redis": OK}


_questions = (
    Question(ask_database, {"database": TIMEOUT, "migrations": UNKNOWN}),
    Question(ask_redis, {"redis": TIMEOUT}),
)
_last_said: Checks = {}


def check() -> Checks:
    """What every side answers, asked at the same time: a stable code for each check."""
    deadline = time.monotonic() + LIMIT_SECONDS
    asked = [(question, question.begin()) for question in _questions]
    checks: Checks = {}
    for question, answer in asked:
        checks.update(question.wait(answer, deadline))
    _say_changes(checks)
    return checks


def is_ready(checks: Checks, without: Iterable[str] = ()) -> bool:
    """Whether all is well, but for the checks that are left out."""
    return all(code in GOOD for name, code in checks.items() if name not in without)


def _say_changes(checks: Checks) -> None:
    """Once an outage, not once a question."""
    global _last_said
    before, _last_said = _last_said, checks
    if checks != before and (before or not is_ready(checks)):
        said = " ".join(f"{name}={code}" for name, code in checks.items())
        logger.warning("readiness has changed: %s", said)
