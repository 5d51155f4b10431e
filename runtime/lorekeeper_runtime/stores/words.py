"""What a search by words looks at: a passage seldom repeats its heading, so that stands in front of its text."""

from collections.abc import Mapping

from lorekeeper_api.contract.collection import Payload

__all__ = ["heading_line", "searched_text"]


def heading_line(payload: Mapping[str, object]) -> str:
    """Return the line in front of a chunk's text: its headings, or its document's title, or nothing."""
    headings = payload.get(Payload.HEADINGS)
    path = " > ".join(headings) if isinstance(headings, list | tuple) and headings else payload.get(Payload.TITLE)
    return f"{path}\n" if path else ""


def searched_text(payload: Mapping[str, object]) -> str:
    """Return all that a search by words looks at."""
    return f"{heading_line(payload)}{payload[Payload.TEXT]}"
