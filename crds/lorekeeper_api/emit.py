"""Plain values as YAML in block style, the same text for the same values; this package has no YAML library."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["emit_yaml"]

_WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z/.][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
# Words that one YAML or the other reads as something else than text, and numbers in their disguises.
_SPECIAL = re.compile(r"(?i)~|null|true|false|yes|no|on|off|y|n|\.inf|\.nan|[.\d_]+([e.][\d_]*)?")
_FOLDABLE = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]\S*( \S+)*")


def emit_yaml(value: object) -> str:
    """Return a mapping or list as one YAML document.

    Args:
        value: Mappings with text as keys, lists, text, numbers, truth values and None.

    Raises:
        TypeError: There is another kind of value inside.
    """
    lines = _emit(value, 0) if value else [_scalar(value)]
    return "\n".join(lines) + "\n"


def _emit(value: object, depth: int) -> Iterator[str]:
    indent = " " * depth
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _emit_entry(f"{indent}{_scalar(key)}:", inner, depth)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            if isinstance(inner, Mapping) and inner:
                first, *rest = _emit(inner, depth + 2)
                yield f"{indent}- {first[depth + 2 :]}"
                yield from rest
            else:
                yield from _emit_entry(f"{indent}-", inner, depth)
    else:
        yield indent + _scalar(value)


def _emit_entry(head: str, value: object, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping | list) and value:
        yield head
        yield from _emit(value, depth + 2)
    elif (
        isinstance(value, str)
        and len(head) + len(value) > _WIDTH
        and value.isprintable()
        and _FOLDABLE.fullmatch(value)
    ):
        yield f"{head} >-"
        width = max(_WIDTH - depth - 2, 40)
        for line in textwrap.wrap(value, width, break_long_words=False, break_on_hyphens=False):
            yield f"{' ' * (depth + 2)}{line}"
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: object) -> str:
    match value:
        case float() if "." not in (text := json.dumps(value)):
            # YAML 1.1 takes 1e-05 for text.
            return text.replace("e", ".0e")
        case None | bool() | int() | float():
            return json.dumps(value)
        case str() if _PLAIN.fullmatch(value) and not _SPECIAL.fullmatch(value):
            return value
        case str() if ('"' in value or "\\" in value) and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        case str():
            return "".join(map(_escape, json.dumps(value, ensure_ascii=False)))
        case Mapping() | list() if not value:
            return "{}" if isinstance(value, Mapping) else "[]"
        case _:
            raise TypeError(f"YAML cannot be written from {type(value).__name__}.")


def _escape(letter: str) -> str:
    """YAML wants more letters escaped than JSON does."""
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
