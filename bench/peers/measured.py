"""What every measured program does alike: read the chosen files, and print one line of figures at the end.

Used with the peers' own Python, so it needs the standard library alone.
"""

import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

__all__ = ["Clock", "read_arguments", "read_files"]


class Clock:
    """Counts from the end of the imports to the end of the work: user and system time of all threads."""

    def __init__(self) -> None:
        self._import_cpu = time.process_time()
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def report(self, *, documents: int, chunks: int, size: int, packages: tuple[str, ...]) -> None:
        """Print the figures; sizes in bytes, times in seconds."""
        cpu = time.process_time() - self._cpu
        wall = time.perf_counter() - self._wall
        figures = {
            "cpu": cpu,
            "wall": wall,
            "import_cpu": self._import_cpu,
            "peak_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "documents": documents,
            "chunks": chunks,
            "bytes": size,
            "versions": {name: version(name) for name in packages},
        }
        print(json.dumps(figures))


def read_arguments() -> dict[str, str]:
    """Return the arguments KEY=VALUE."""
    return dict(argument.split("=", 1) for argument in sys.argv[1:])


def read_files(folder: str) -> list[tuple[str, str]]:
    """Read all files as (path below the folder, text): the cheapest loader there is, no peer's own one."""
    root = Path(folder)
    return [
        (path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(root.rglob("*"))
        if path.is_file()
    ]
