"""What is known of embedding models by name, so that the shortest manifest does the right thing.

The prefixes are those of the models' own cards.
"""

from dataclasses import dataclass

__all__ = ["BUNDLED_EMBEDDING", "ModelProfile", "find_profile"]

BUNDLED_EMBEDDING = "all-minilm-l6-v2"
"""The embedding model that the extra `embedded` brings along."""


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What a model wants before its texts, and from which cosine on a passage is about the question."""

    query_prefix: str = ""
    document_prefix: str = ""
    minimum_score: float = 0.0
    """Calibrated on questions with and without an answer; 0 where nobody measured."""


_PROFILES = {
    "all-minilm": ModelProfile(minimum_score=0.2),
    "nomic-embed-text": ModelProfile("search_query: ", "search_document: "),
    "mxbai-embed-large": ModelProfile("Represent this sentence for searching relevant passages: ", ""),
    "bge-m3": ModelProfile(),
    "bge-": ModelProfile("Represent this sentence for searching relevant passages: ", ""),
    "e5-": ModelProfile("query: ", "passage: "),
    "multilingual-e5": ModelProfile("query: ", "passage: "),
}


def find_profile(model: str) -> ModelProfile:
    """Return what is known of a model: by the beginning of its name without registry, owner and tag."""
    name = model.lower().rsplit("/", 1)[-1]
    for beginning, profile in _PROFILES.items():
        if name.startswith(beginning):
            return profile
    return ModelProfile()
