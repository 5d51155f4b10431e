"""The guard: a sync that would take away too much stops and asks."""

from lorekeeper_api.source import Guard

__all__ = ["ALWAYS_ALLOWED", "held_reason"]

ALWAYS_ALLOWED = 10
"""Deletions that no share forbids: in a small source every document is a large share."""


def held_reason(guard: Guard, *, source: str, known: int, listed: int, gone: int) -> str | None:
    """Say why a sync is held, in one sentence, or return None.

    An empty listing of a source that has documents is always held: it is far more often a wrong path, an unmounted
    volume or a lost permission than the wish to forget everything.

    Args:
        guard: What the source declares.
        source: Name of the source.
        known: Documents that the manifest knows of.
        listed: Documents that the listing shows.
        gone: Known documents that the listing does not show.
    """
    confirm = f"confirm with --confirm-deletion {source} if that is what you want; until then nothing is changed"
    if gone and not listed:
        return f"The listing is empty and all {known} indexed documents would be deleted: {confirm}."
    if gone > ALWAYS_ALLOWED and gone * 100 > guard.max_deleted_percent * known:
        return (
            f"{gone} of {known} indexed documents would be deleted, more than {guard.max_deleted_percent} percent: "
            f"{confirm}."
        )
    return None
