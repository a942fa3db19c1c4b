"""How much memory the search and its processes have, and how much there is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

PART = 2 / 3
"""What part of the machine's memory a search may have where no limit is given."""

PER_CELL = 256
"""Bytes that are needed for a while for each cell of the states that are expanded at once, as measured, and some more."""

UNLIMITED = 1 << 60
"""From how many bytes on a group's limit is none."""


def budget() -> int:
    """How many bytes a search may have where no limit is given: two thirds of the machine's memory, or of what the control group
    of this process may have."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = int(Path(path).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if limit < UNLIMITED:
            whole = min(whole, limit)
    return int(whole * PART)


def used(processes: Iterable[int]) -> int:
    """How many bytes this process has, and others but for their parts of what is shared."""
    return _resident(os.getpid()) + sum(_of(process) for process in processes)


def _of(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) << 10
    except (OSError, StopIteration, ValueError):
        return _resident(process)


def _resident(process: int) -> int:
    """What a process has of its own and shares, where the system does not tell the shares."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        if process != os.getpid():
            return 0
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak << 10


def give_back() -> None:
    """Give back to the system what the C library keeps of what was freed, where it can be asked to."""
    import ctypes

    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
