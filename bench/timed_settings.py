"""The settings that BENCH_SETTINGS names, and commit times (bench/commits.py)."""

import importlib
import os

_base = vars(importlib.import_module(os.environ["BENCH_SETTINGS"]))
globals().update({name: value for name, value in _base.items() if name.isupper()})
MIDDLEWARE = ["bench.commits.CommitTimes", *_base["MIDDLEWARE"]]
