"""
Raw Redis: publish → subscriber between two processes, by redis-py, nothing else.

The limit of what a message can take from the publishing process to a screen.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import redis

ROOT = Path(__file__).resolve().parents[1]
CHANNEL = "bench-bell"
# As long as a check-in's message.
PADDING = b" " * 500


def ring(url: str, number: int, rate: float) -> list[float]:
    """Publish `number` messages, `rate` a second; the seconds that each took."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bell", url, str(number)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    client = redis.Redis.from_url(url)
    begun = time.monotonic()
    for count in range(number):
        time.sleep(max(0, begun + count / rate - time.monotonic()))
        client.publish(CHANNEL, repr(time.monotonic()).encode() + PADDING)
    out, _ = process.communicate()
    client.close()
    seconds: list[float] = pickle.loads(out)
    return seconds


def _hear(url: str, number: int) -> list[float]:
    seconds: list[float] = []
    client: Any = redis.Redis.from_url(url)
    with client.pubsub() as heard:
        heard.subscribe(CHANNEL)
        for message in heard.listen():
            if message["type"] == "subscribe":
                print("ready", flush=True)
                continue
            seconds.append(time.monotonic() - float(message["data"]))
            if len(seconds) == number:
                break
    return seconds


if __name__ == "__main__":
    times = _hear(sys.argv[1], int(sys.argv[2]))
    sys.stdout.buffer.write(pickle.dumps(times))
