"""Which object a branch, a tag or a commit id stands for."""

import re
from collections.abc import Mapping

from dulwich.objects import ObjectID
from dulwich.refs import Ref

from lorekeeper_runtime.errors import SourceError

__all__ = ["is_object_id", "ref_not_found", "ref_prefixes", "select_ref"]

_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

_PLACES = ("refs/heads/{}", "refs/tags/{}", "{}", "refs/remotes/origin/{}")
"""Where a name is looked for, in this order; the last one serves clones whose branch was never checked out."""


def is_object_id(ref: str) -> bool:
    """Say whether a ref is a full commit id."""
    return _OBJECT_ID.fullmatch(ref) is not None


def ref_prefixes(ref: str) -> list[bytes]:
    """Return the beginnings of the names that a server is asked for, so that one with many refs sends few."""
    names = ["HEAD"] if ref == "HEAD" or is_object_id(ref) else [place.format(ref) for place in _PLACES]
    return [name.encode() for name in names]


def select_ref(refs: Mapping[Ref, ObjectID], ref: str, *, source: str) -> ObjectID:
    """Return the id that a ref stands for; a branch wins over a tag of the same name.

    Args:
        refs: What the repository has.
        ref: Branch, tag, full commit id or HEAD.
        source: Name of the source, for messages.

    Raises:
        SourceError: There is no such ref (code RefNotFound).
    """
    if is_object_id(ref):
        return ObjectID(ref.encode())
    for place in ("HEAD",) if ref == "HEAD" else _PLACES:
        found = refs.get(Ref(place.format(ref).encode()))
        if found is not None:
            return found
    raise ref_not_found(ref, source=source)


def ref_not_found(ref: str, *, source: str) -> SourceError:
    """Return the error of a ref that does not exist."""
    if ref == "HEAD":
        message = (
            f"The Git repository of source {source} has no commit on its default branch: push one, or set git.ref."
        )
    else:
        message = f"The Git repository of source {source} has no branch, tag or commit {ref!r}: correct git.ref."
    return SourceError(message, code="RefNotFound")
