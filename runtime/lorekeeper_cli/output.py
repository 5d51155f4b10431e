"""Where words go: results to standard output, everything else to standard error."""

import json
import os
import sys
from contextlib import suppress
from typing import Any

__all__ = ["escape", "is_terminal", "note", "plain", "use_colour", "write", "write_json"]


def write(text: str = "") -> None:
    """Write a line of the result."""
    sys.stdout.write(_fit(text, sys.stdout.encoding) + "\n")
    sys.stdout.flush()


def write_json(value: Any) -> None:
    """Write the result for machines: one object, indented, ASCII where the terminal knows nothing else."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    write(json.dumps(value, indent=2, ensure_ascii=ascii_only))


def note(text: str) -> None:
    """Write a line that is not part of the result; when nobody can read it any more, the work goes on without it."""
    with suppress(OSError):
        sys.stderr.write(_fit(plain(text), sys.stderr.encoding) + "\n")
        sys.stderr.flush()


def is_terminal() -> bool:
    """Whether a person sees what goes to standard error as it comes."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def use_colour() -> bool:
    """Whether results may be coloured: on a terminal, unless NO_COLOR is set to anything."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def plain(text: str) -> str:
    """The text without control characters, which steer a terminal: documents may have been written by anybody."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def escape(text: str) -> str:
    """The text in one line, with what cannot be seen written out: a name of a file may hold line breaks."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _fit(text: str, encoding: str | None) -> str:
    """The text with what the stream cannot write replaced."""
    return text.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8")
