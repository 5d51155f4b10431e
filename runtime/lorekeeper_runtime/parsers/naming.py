"""The title of a document that does not tell its own."""

from pathlib import PurePosixPath

__all__ = ["title_from_name"]


def title_from_name(document: str) -> str:
    """Return the last part of a path without its ending."""
    name = PurePosixPath(document)
    return name.stem or document
