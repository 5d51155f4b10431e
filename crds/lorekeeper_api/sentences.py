"""Plain sentences for what pydantic finds, as `lorekeeper check` and conditions show them after the path."""

import difflib
import re
from collections.abc import Iterable, Mapping

from lorekeeper_api.fields import PATTERN_MEANINGS

__all__ = ["describe_error", "find_nearest"]

_PLAIN = {
    "missing": "is required",
    "string_type": "must be text: put quotes around it",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a finite number",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} entries",
}


def describe_error(kind: str, value: object, limits: Mapping[str, object], pydantic_message: str) -> str:
    """Return one sentence for an error.

    Args:
        kind: Pydantic's name of the error.
        value: What was given.
        limits: Pydantic's context of the error: bounds, pattern, allowed values.
        pydantic_message: What pydantic says, for kinds that have no sentence of their own.
    """
    match kind:
        case "string_type" | "list_type" if isinstance(value, dict):
            return f"must be {'text' if kind == 'string_type' else 'a list'}, not a mapping of fields"
        case "bool_type" | "float_type" | "int_type" if isinstance(value, str):
            return f"{_PLAIN[kind]}, without quotes"
        case "enum" | "literal_error":
            return _describe_choice(str(value), re.findall(r"'([^']*)'", str(limits["expected"])))
        case "string_pattern_mismatch":
            pattern = str(limits["pattern"])
            return PATTERN_MEANINGS.get(pattern, f"must match {pattern}")
        case _:
            plain = _PLAIN.get(kind, f"is not valid: {pydantic_message}")
            return plain.format_map({name: _number(limit) for name, limit in limits.items()})


def find_nearest(word: str, choices: Iterable[str]) -> str:
    """Return what was probably meant, or an empty string."""
    known = list(choices)
    plain = {re.sub("[-_ ]", "", choice).lower(): choice for choice in known}
    squeezed = re.sub("[-_ ]", "", word).lower()
    if squeezed in plain:
        return plain[squeezed]
    close = difflib.get_close_matches(squeezed, plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else ""


def _describe_choice(value: str, allowed: list[str]) -> str:
    if len(allowed) == 1:
        return f"must be `{allowed[0]}`"
    nearest = find_nearest(value, allowed)
    hint = f"; did you mean `{nearest}`?" if nearest else ""
    return f"must be one of {', '.join(f'`{choice}`' for choice in allowed)}{hint}"


def _number(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
