"""Optimizes one shard, as a process of its own: the engine holds Python's global lock for as long as it works, which is
seconds for ten thousand chunks and minutes for a hundred thousand, and a server would answer nothing meanwhile.

Exit codes: 0 optimized, 3 nothing to do.
"""

import os
import sys

import qdrant_edge

__all__ = ["NOTHING_TO_DO", "main"]

NOTHING_TO_DO = 3


def main(path: str) -> int:
    """Optimize the shard in a folder that no other process has open."""
    os.nice(10)  # questions come first
    shard = qdrant_edge.EdgeShard.load(path)
    changed = shard.optimize()
    shard.close()
    return 0 if changed else NOTHING_TO_DO


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
