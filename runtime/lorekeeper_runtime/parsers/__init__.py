"""Parsers: from the bytes of a document to its text, by what the bytes are rather than by what the name says.

This package is itself a `ports.Parser`: its `parse` finds the right one.
"""

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers.detect import Format, detect_format
from lorekeeper_runtime.ports import ParsedDocument, Parser, RawDocument

__all__ = ["Format", "detect_format", "find_parser", "parse"]


def parse(document: RawDocument) -> ParsedDocument:
    """Parse a document of any supported format.

    Raises:
        DocumentError: It is not what it says, is damaged, or holds no text (code Empty).
    """
    parsed = find_parser(detect_format(document)).parse(document)
    if all(not section.text or section.text.isspace() for section in parsed.sections):
        raise DocumentError("The document holds no text; there is nothing to index.", code="Empty")
    return parsed


def find_parser(format_: Format) -> Parser:
    """Return the parser of a format: a module with a function `parse`. Its library is imported only now."""
    match format_:
        case Format.TEXT:
            from lorekeeper_runtime.parsers import text

            return text
        case Format.MARKDOWN:
            from lorekeeper_runtime.parsers import markdown

            return markdown
        case Format.HTML:
            from lorekeeper_runtime.parsers import html

            return html
        case Format.PDF:
            from lorekeeper_runtime.parsers import pdf

            return pdf
        case Format.DOCX:
            from lorekeeper_runtime.parsers import docx

            return docx
