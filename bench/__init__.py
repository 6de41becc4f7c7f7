"""
Benchmarks: everything side by side in one run, as ratios.

    python3 run.py bench             all of them
    python3 run.py bench NAME...     some
    python3 run.py bench --list      their names

Real servers on loopback, the load generator on the same machine. What is measured is
put beside a limit that is measured in the same run, in turns with it, so that a busy
or a slow machine does the same to both. Figures go to docs/performance.json, and from
there to docs/performance.md.
"""
