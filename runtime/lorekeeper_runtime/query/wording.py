"""What a question's own words say of a passage, where its meaning alone would mislead."""

from collections.abc import Collection, Sequence

from lorekeeper_api.contract.collection import Payload
from lorekeeper_runtime.models.words import content_words
from lorekeeper_runtime.ports import Hit

__all__ = ["holds_all", "put_leads_first"]


def holds_all(hit: Hit, words: Collection[str]) -> bool:
    """Whether the search by words found a passage, and it holds every content word of the question.

    Short questions and passages about many things have a low cosine even when one sentence answers exactly.
    """
    return bool(words) and hit.sparse is not None and set(words) <= set(content_words(_read(hit, Payload.TEXT)))


def put_leads_first(ranked: Sequence[tuple[Hit, float]], words: Collection[str]) -> list[tuple[Hit, float]]:
    """Move the beginnings of documents to the front whose title is the question's whole subject; the rest stays.

    "What is X?" is answered where the document about X begins. Later parts of it often name X more and are nearer.
    """
    wanted = set(words)
    leads = [bool(wanted) and _leads(hit, wanted) for hit, _ in ranked]
    first = [entry for entry, lead in zip(ranked, leads, strict=True) if lead]
    return first + [entry for entry, lead in zip(ranked, leads, strict=True) if not lead]


def _leads(hit: Hit, wanted: set[str]) -> bool:
    return hit.payload.get(Payload.POSITION) == 0 and wanted == set(content_words(_read(hit, Payload.TITLE)))


def _read(hit: Hit, field: str) -> str:
    return str(hit.payload.get(field) or "")
