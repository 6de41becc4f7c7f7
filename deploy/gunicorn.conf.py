"""
gunicorn for HTTP: a few workers with a few threads each.

A thread keeps its database connection, so a process group holds workers x threads of
them. More threads than four a worker only wait for each other (the interpreter's lock);
for more cores take more workers: WEB_CONCURRENCY.
"""

import gc
import os
from typing import Any

_listen = os.environ.get("ATTENDANCE_LISTEN", "127.0.0.1")
bind = f"{_listen}:{os.environ.get('ATTENDANCE_PORT', '8001')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
# Longer than nginx keeps an idle connection (20 s), so that it is nginx who closes: a
# request sent on a connection that is being closed is lost, and a POST is not repeated.
keepalive = 75
# A stop waits as long as that for nginx to let go of its connections.
graceful_timeout = 30
timeout = 60
# A file that workers touch every second: not on a disk that may stall.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
# Loaded once, before the fork: the workers share what the import made. The publisher's
# thread starts with its first message, so in the worker, and a fork resets it.
preload_app = True


def when_ready(server: Any) -> None:
    """Just before the workers are forked."""
    from django.db import connections

    # A connection that two processes write to is no connection; there should be none.
    connections.close_all()
    # What exists now lives as long as the process: a collection in a worker need not
    # touch it, and so does not copy the pages that it is on.
    gc.collect()
    gc.freeze()
