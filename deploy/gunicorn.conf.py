"""
gunicorn for HTTP: a few workers with a few threads each, which share what they import.

A thread keeps its database connection, so a process group holds workers x threads of
them. The more of them, the more they wait for each other's locks: four took a tenth of
the throughput. The fewer, the sooner all of them wait for one class session that is
being closed, and with them the check-ins to all others: with two the slowest percent
took five times as long. For more cores take more workers: WEB_CONCURRENCY.

For the metrics each worker counts in files that all of them read. They go to a new
folder of TMPDIR for each master process, and are forgotten with it. A reload (HUP)
keeps the master and so the counts; a new master (USR2) begins anew.
"""

import os
import shutil
import tempfile
from typing import Any

_listen = os.environ.get("ATTENDANCE_LISTEN", "127.0.0.1").strip("[]")
# An address of IPv6 has colons itself.
_host = f"[{_listen}]" if ":" in _listen else _listen
bind = f"{_host}:{os.environ.get('ATTENDANCE_PORT', '8001')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 3
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

# The environment outlives a reload, and is handed on to a new master.
_OWNER = "ATTENDANCE_METRICS_OWNER"
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

if os.environ.get(_OWNER) != str(os.getpid()):
    os.environ[_OWNER] = str(os.getpid())
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="attendance-metrics-")


def when_ready(server: Any) -> None:
    """Just before the workers are forked."""
    from importlib import import_module

    from django.conf import settings
    from django.db import connections

    from attendance_site.startup import spare_full_collections

    # All views: the application by itself imports them with its first request only.
    import_module(settings.ROOT_URLCONF)
    # A connection that two processes write to is no connection; there should be none.
    connections.close_all()
    # So that a collection in a worker does not copy the pages that it shares, either.
    spare_full_collections()


def pre_fork(server: Any, worker: Any) -> None:
    """Choose the worker's core, where there is a worker for every core."""
    worker.core = None
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    # With cores to spare, or several containers on one machine, the scheduler knows
    # better which of them are idle.
    if workers >= len(cores):
        taken = [other.core for other in server.WORKERS.values()]
        worker.core = min(cores, key=taken.count)


def post_fork(server: Any, worker: Any) -> None:
    # One thread of a worker runs Python at a time. They hand each other the
    # interpreter's lock at every statement of the database, and from core to core that
    # takes a sixth of the throughput.
    if worker.core is not None:
        os.sched_setaffinity(0, {worker.core})


def child_exit(server: Any, worker: Any) -> None:
    """Forget what only a living worker has, such as its queue; counts remain."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ[_FOLDER], ignore_errors=True)
