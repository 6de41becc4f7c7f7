"""What processes that belong together hold of the machine's memory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ (?P<device>\S+) (?P<inode>\d+)")
# /proc counts in these.
_UNIT = 1024


def resident_bytes(pids: Iterable[int]) -> int:
    """
    Of all the processes together; what they share counts once.

    Files that are mapped (libraries) count whole, once, whoever else maps them: by the
    kernel's proportional set alone they would cost less the more of the bench's own
    processes run. The rest is that set: pages that a fork shares, it shares with its
    own family.
    """
    files: defaultdict[str, int] = defaultdict(int)
    rest = 0
    for pid in pids:
        mapped: defaultdict[str, int] = defaultdict(int)
        for file, sizes in _mappings(pid):
            if file is None:
                rest += sizes["Pss"]
                continue
            # Pages that were written to are the process's own, no longer the file's.
            rest += min(sizes["Anonymous"], sizes["Pss"])
            mapped[file] += sizes["Rss"] - sizes["Anonymous"]
        for file, size in mapped.items():
            files[file] = max(files[file], size)
    return (sum(files.values()) + rest) * _UNIT


def _mappings(pid: int) -> Iterator[tuple[str | None, dict[str, int]]]:
    """The file of each mapping, if it is of one, and its sizes by the kernel's name."""
    file: str | None = None
    sizes: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        found = _MAPPING.match(line)
        if found is None:
            name, _, value = line.partition(":")
            if value.endswith(" kB"):
                sizes[name] = int(value.split()[0])
            continue
        if sizes:
            yield file, sizes
        inode = found["inode"]
        file, sizes = None if inode == "0" else f"{found['device']} {inode}", {}
    if sizes:
        yield file, sizes
