"""Exit with 0 as soon as the process of this environment can serve, else with 1.

Asks /readyz at ATTENDANCE_LISTEN and ATTENDANCE_PORT. Units wait for it after a start;
compose.yaml asks it as a health check, with ATTENDANCE_READY_SECONDS=0: just once.
"""

import os
import sys
import time
import urllib.error
import urllib.request


def problem() -> str:
    """What keeps the process from serving; empty when nothing does."""
    port = os.environ.get("ATTENDANCE_PORT", "8001")
    listen = os.environ.get("ATTENDANCE_LISTEN", "127.0.0.1").strip("[]")
    # Who listens everywhere listens on loopback; and IPv6 stands in brackets.
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen, listen)
    if ":" in here:
        here = f"[{here}]"
    # No proxy of the environment: this is the process next door.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        # Without Redis it serves all the same, and screens go on by heartbeat: a start
        # that waited for it would make an outage of it.
        with opener.open(f"http://{here}:{port}/readyz?exclude=redis", timeout=5):
            return ""
    except urllib.error.HTTPError as refusal:
        with refusal:
            return f"{refusal}: {refusal.read(2000).decode(errors='replace')}"
    except OSError as error:
        return str(error)


def main() -> int:
    deadline = time.monotonic() + float(os.environ.get("ATTENDANCE_READY_SECONDS", 30))
    while found := problem():
        if time.monotonic() >= deadline:
            print(f"not ready: {found}", file=sys.stderr)
            return 1
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
