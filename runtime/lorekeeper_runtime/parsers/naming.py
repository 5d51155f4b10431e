"""The title of a document: what it tells itself where that is a title, else its first line or its name."""

import re
from pathlib import PurePosixPath

__all__ = ["title_from_line", "title_from_metadata", "title_from_name"]

_PROGRAM = re.compile(r"Microsoft (?:Office )?(?:Word|PowerPoint|Excel|Publisher)\s+-\s+", re.IGNORECASE)
"""What printing to a PDF writes before the name of the file."""

_FILE = re.compile(
    r"\\|^(?:[A-Za-z]:|file:|/)\S"
    r"|\.(?:wp[dst5]?|docx?|dotx?|rtf|odt|txt|pptx?|xlsx?|pub|indd|qxd|pmd?|p65|fm|book|tex|dvi|e?ps|ai|pdf|html?|md)\b"
    r"(?=$|\s*[\[(])",
    re.IGNORECASE,
)
"""A path, or the name of a file with its ending, alone or before something in brackets."""

_UNTOLD = re.compile(
    r"(?:untitled|unknown|\(anonymous\)|title|none|null|no title|blank(?: page)?|powerpoint presentation|"
    r"(?:document|slide|layout|page|book|sheet|presentation|untitled)[ -]*\d*)\Z",
    re.IGNORECASE,
)
"""What programs write that were not told a title."""

_MAX_TITLE = 300
_MAX_LINE = 100


def title_from_name(document: str) -> str:
    """Return the last part of a path without its ending."""
    name = PurePosixPath(document)
    return name.stem or document


def title_from_metadata(told: str) -> str:
    """Return the title that a document's properties tell, in one line; empty when it is a path or a placeholder."""
    title = " ".join(told.split())
    title = title[match.end() :] if (match := _PROGRAM.match(title)) else title
    readable = title.isprintable() and "\ufffd" not in title and any(letter.isalpha() for letter in title)
    return "" if not readable or len(title) > _MAX_TITLE or _UNTOLD.match(title) or _FILE.search(title) else title


def title_from_line(text: str) -> str:
    """Return the first line of a page when it looks like a heading and not like the beginning of a sentence."""
    first, _, rest = text.lstrip().partition("\n")
    line = " ".join(first.split())
    following = rest.lstrip()[:1]
    letters = sum(letter.isalpha() for letter in line)
    if not 4 <= len(line) <= _MAX_LINE or letters * 2 < len(line) or not (line[0].isupper() or line[0].isdigit()):
        return ""
    if line[-1] in ".,;:-" or following.islower() or "@" in line or "://" in line:
        return ""
    return title_from_metadata(line)
