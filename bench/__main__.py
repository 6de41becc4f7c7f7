from __future__ import annotations

import argparse
import importlib
import sys

from bench import __doc__ as about
from bench.figures import keep
from bench.lab import Lab, say

# Each is a module of this package with `run(lab) -> Section`; the page's order.
BENCHES: tuple[str, ...] = (
    "check_ins",
    "many_sessions",
    "redis_frozen",
    "embedded",
    "streams",
    "screens",
    "snapshot",
    "live_page",
    "bulk",
    "closing",
    "close_under_load",
    "memory",
    "cold_start",
    "growth",
    "year",
)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="run.py bench",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument(
        "--keep",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write docs/performance.md (the default)",
    )
    options = parser.parse_args()
    if options.list:
        print("\n".join(BENCHES))
        return 0
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; see --list")
    lab = Lab(options.rounds)
    lab.prepare()
    try:
        for name in options.names or BENCHES:
            say(f"== {name}")
            section = importlib.import_module(f"bench.{name}").run(lab)
            for row in section.rows:
                mark = "met" if row.met else "MISSED"
                against = f"; {row.against}: {row.limit}" if row.limit else ""
                ratio = f"; ratio {row.ratio}" if row.ratio else ""
                say(f"{mark:6} {row.what}: {row.figure}{against}{ratio}; {row.goal}")
            if options.keep:
                keep(name, section, lab.machine(), lab.rounds, BENCHES)
    finally:
        lab.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
