"""Vectors are cut out of a provider's reply as bytes: they are never turned into Python floats and back."""

import re
from collections.abc import Sequence

import orjson

from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.ports import Vector

__all__ = ["check_vectors", "cut_vectors", "vector_length"]

_BEGINNING = re.compile(rb"\[\s*+(?=[-+0-9.])")
"""Where an array of numbers may begin."""


def cut_vectors(reply: bytes) -> tuple[object, list[Vector]]:
    """Take every array of numbers out of a JSON reply.

    Only the ends of an array are looked for, which costs far less than matching its numbers.

    Returns:
        The reply, decoded, with the position in the second list in place of each array; and the arrays as they stood.

    Raises:
        ValueError: What is left is no JSON.
    """
    vectors: list[Vector] = []
    rest: list[bytes] = []
    done = 0
    while match := _BEGINNING.search(reply, done):
        start, end = match.start(), reply.find(b"]", match.end()) + 1
        if end == 0:
            break
        vector = reply[start:end]
        # Null, NaN, Infinity, texts, objects, true: JSON, or what some servers take for JSON, that is no number. Such
        # an array stays in the reply, which is refused then. Written out, because a loop takes twice as long.
        if b"n" in vector or b"N" in vector or b"I" in vector or b'"' in vector or b"{" in vector or b"t" in vector:
            rest.append(reply[done : match.end()])
            done = match.end()
            continue
        rest += (reply[done:start], b"%d" % len(vectors))
        vectors.append(vector)
        done = end
    rest.append(reply[done:])
    return orjson.loads(b"".join(rest)), vectors


def vector_length(vector: Vector) -> int:
    """Count the numbers of a vector."""
    return vector.count(b",") + 1


def check_vectors(
    positions: Sequence[object], vectors: Sequence[Vector], *, count: int, dimensions: int, model: str
) -> list[Vector]:
    """Return the vectors at the positions when they are what was asked for.

    Args:
        positions: Where `cut_vectors` put the vectors, in the order of the texts.
        vectors: What `cut_vectors` cut out.
        count: Texts that were sent.
        dimensions: Length that each must have; 0 when it is not known yet: then all must have the same.
        model: Name of the model, for messages.

    Raises:
        ProviderError: There are too few or too many, one is no vector, or one has another length.
    """
    if len(positions) != count:
        raise ProviderError(
            f"The model {model} returned {len(positions)} vectors for {count} texts; look at the provider's log.",
            code="TooFewVectors",
        )
    found: list[Vector] = []
    for position in positions:
        if type(position) is not int or not 0 <= position < len(vectors):
            raise ProviderError(
                f"The model {model} returned something that is not a vector; look at the provider's log.",
                code="EmbeddingFailed",
                retryable=False,
            )
        found.append(vectors[position])
    wanted = dimensions or (vector_length(found[0]) if found else 0)
    for vector in found:
        if (length := vector_length(vector)) != wanted:
            raise ProviderError(
                f"The model {model} returned a vector of {length} numbers where {wanted} are declared; "
                "set spec.embedding.dimensions to the model's own length, or name another model.",
                code="DimensionMismatch",
                retryable=False,
            )
    return found
