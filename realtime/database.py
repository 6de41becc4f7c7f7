"""The streams' way to the database: a few lasting threads of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings

P = ParamSpec("P")
R = TypeVar("R")

# Not asgiref's one thread for everything: a query that has to wait would hold up the
# heartbeats of every screen of the process.
_pool = ThreadPoolExecutor(
    settings.STREAM_DATABASE_THREADS, thread_name_prefix="stream"
)


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What `function` returns, called in a thread that may query the database."""
    call: Any = database_sync_to_async(function, thread_sensitive=False, executor=_pool)
    result: R = await call(*args, **kwargs)
    return result
