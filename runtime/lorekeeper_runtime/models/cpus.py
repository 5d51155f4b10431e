"""How many threads are worth starting."""

import os
from pathlib import Path

__all__ = ["count_cpus"]

CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def count_cpus(limit_file: Path = CGROUP_LIMIT) -> int:
    """Return the processors that this process may really use, at least 1.

    A container with a limit of one CPU sees all processors of its node: as many threads would only be throttled.

    Args:
        limit_file: The CPU limit of cgroup v2, "QUOTA PERIOD" in microseconds or "max PERIOD".
    """
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        usable = os.cpu_count() or 1
    try:
        quota, period = limit_file.read_text(encoding="ascii").split()
        limit = int(quota) // int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no cgroup v2, or no limit ("max")
        return usable
    return max(1, min(usable, limit))
