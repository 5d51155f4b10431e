"""Quantities as Kubernetes writes them."""

import re

__all__ = ["parse_quantity"]

_FACTORS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_QUANTITY = re.compile(r"([0-9]+)(Ki|Mi|Gi|Ti|k|M|G|T)?")


def parse_quantity(text: str) -> int:
    """Return a quantity in bytes, for example 52428800 for "50Mi".

    Raises:
        ValueError: The text is no whole number with an optional unit.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity: write a whole number with Ki, Mi, Gi, Ti, k, M, G or T")
    return int(match[1]) * _FACTORS[match[2] or ""]
