"""What operator and runtime agree on: the configuration that one writes and the other reads, names, ids and records.

Nothing here does input or output.
"""
