"""
gunicorn's hooks for the metrics: each worker counts in files that all of them read.

The files go to a new folder of TMPDIR for each master process, and are forgotten with
it. A reload (HUP) keeps the master and so the counts; a new master (USR2) begins anew.
"""

import os
import shutil
import tempfile
from typing import Any

# The environment outlives a reload, and is handed on to a new master.
_OWNER = "ATTENDANCE_METRICS_OWNER"
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

if os.environ.get(_OWNER) != str(os.getpid()):
    os.environ[_OWNER] = str(os.getpid())
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="attendance-metrics-")


def child_exit(server: Any, worker: Any) -> None:
    """Forget what only a living worker has, such as its queue; counts remain."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ[_FOLDER], ignore_errors=True)
