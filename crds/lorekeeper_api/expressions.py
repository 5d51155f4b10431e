"""Regular expressions that the API server (RE2) and Python read alike."""

import re

__all__ = ["compile_expression"]


def compile_expression(expression: str) -> re.Pattern[str]:
    """Compile an expression for Python with the meaning it has in RE2.

    There `$` is the end of the text, not also the place before a last newline, and classes of characters are ASCII.

    Raises:
        ValueError: The expression holds the short class for white space, which the two read differently: for RE2 a
            vertical tab is none.
    """
    if r"\s" in expression.lower():
        raise ValueError(f"Write white space as a class of its own, without a backslash and an s: {expression}")
    return re.compile(expression.replace("$", r"\Z"), re.ASCII)
