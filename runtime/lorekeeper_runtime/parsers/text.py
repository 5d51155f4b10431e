"""Plain text, and everything that is read as such: reStructuredText, AsciiDoc, source code."""

import re

from lorekeeper_runtime.parsers.decoding import decode
from lorekeeper_runtime.parsers.naming import title_from_name
from lorekeeper_runtime.ports import ParsedDocument, RawDocument, Section

__all__ = ["parse"]

_UNDERLINED = re.compile(r"\s*+(?:[=*#~-]{3,}\n)?[ \t]*+(\S[^\n]{0,200})\n([=*#~-])\2{2,}[ \t]*(?:\n|$)")
"""A first line that is underlined, as titles are in reStructuredText and many text files."""

_ASCIIDOC = re.compile(r"\s*+= +(\S[^\n]{0,200})\n")


def parse(document: RawDocument) -> ParsedDocument:
    """Parse a document as one section of plain text.

    Raises:
        DocumentError: It is not text, or not in UTF-8 or UTF-16.
    """
    text = decode(document.content).strip("\n")
    title = _UNDERLINED.match(text) or _ASCIIDOC.match(text)
    return ParsedDocument(title[1].strip() if title else title_from_name(document.id), [Section(text)])
