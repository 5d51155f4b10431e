"""Cron expressions of five fields, as far as a manifest may use them: numbers, names, `*`, lists, ranges and steps.

`CRON_EXPRESSION` is what the API server checks. It knows the bounds of each field but cannot compare two numbers, so
`is_possible_cron` looks closer.
"""

import re

from lorekeeper_api.expressions import compile_expression

__all__ = ["CRON_EXPRESSION", "is_cron", "is_possible_cron"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


def _either_case(names: tuple[str, ...]) -> str:
    return "|".join("".join(f"[{letter.upper()}{letter}]" for letter in name) for name in names)


def _field(value: str) -> str:
    term = rf"([*]|({value})(-({value}))?)(/[1-9][0-9]?)?"
    return f"{term}(,{term})*"


CRON_EXPRESSION = (
    "^"
    + " +".join(
        _field(value)
        for value in (
            "[0-5]?[0-9]",
            "[01]?[0-9]|2[0-3]",
            "0?[1-9]|[12][0-9]|3[01]",
            f"0?[1-9]|1[0-2]|{_either_case(_MONTHS)}",
            f"[0-7]|{_either_case(_DAYS)}",
        )
    )
    + "$"
)
"""Expression that RE2 and Python read alike."""


def is_cron(text: str) -> bool:
    """Return whether a text is a cron expression, each number within the bounds of its field."""
    return compile_expression(CRON_EXPRESSION).search(text) is not None


def is_possible_cron(text: str) -> bool:
    """Return whether a cron expression can come true: ranges run upwards, and a day exists in a month it names."""
    _, _, days, months, week_days = fields = text.lower().split()
    if not all(_runs_upwards(field) for field in fields):
        return False
    if week_days != "*" or days.startswith("*"):
        return True
    first = min(_number(re.split("[-/]", term)[0]) for term in days.split(","))
    return any(first <= _LONGEST[month] for month in _named_months(months))


def _runs_upwards(field: str) -> bool:
    for term in field.split(","):
        ends = [_number(end) for end in term.partition("/")[0].split("-")]
        if ends != sorted(ends):
            return False
    return True


def _named_months(field: str) -> set[int]:
    found: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        low, _, high = span.partition("-")
        first = 1 if low == "*" else _number(low)
        last = 12 if low == "*" or (step and not high) else _number(high or low)
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str) -> int:
    if text == "*":
        return 0
    if text in _MONTHS:
        return _MONTHS.index(text) + 1
    return _DAYS.index(text) if text in _DAYS else int(text)
