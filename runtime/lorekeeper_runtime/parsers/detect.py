"""What a document is: by its bytes first, by its name only among formats of text."""

import posixpath
import re
from enum import StrEnum

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers.decoding import find_binary, looks_like_text
from lorekeeper_runtime.ports import RawDocument

__all__ = ["ENDINGS", "Format", "detect_format", "ending_of"]


class Format(StrEnum):
    """Formats that can be parsed."""

    TEXT = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


ENDINGS = {
    "md": Format.MARKDOWN,
    "markdown": Format.MARKDOWN,
    "mdown": Format.MARKDOWN,
    "mkd": Format.MARKDOWN,
    "mdx": Format.MARKDOWN,
    "html": Format.HTML,
    "htm": Format.HTML,
    "xhtml": Format.HTML,
    "txt": Format.TEXT,
    "text": Format.TEXT,
    "rst": Format.TEXT,
    "adoc": Format.TEXT,
    "asciidoc": Format.TEXT,
    "pdf": Format.PDF,
    "docx": Format.DOCX,
}
"""Formats by the ending of a name. Every other name is text when its content is, for example source code."""

_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:(?><!--.{0,2000}?-->)\s*+)*+<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL
)

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def ending_of(name: str) -> str:
    """Return the ending of a document's name in lower case, without its dot; empty when it has none."""
    return posixpath.splitext(name)[1][1:].lower()


def detect_format(document: RawDocument) -> Format:
    """Return the format of a document.

    Raises:
        DocumentError: It is empty (code Empty), binary under a text's name (NotText), not what its name says
            (ParseFailed), encrypted (Encrypted), or of a format that is not supported (UnsupportedFormat).
    """
    content = document.content
    if not content or content.isspace():
        raise DocumentError("The document is empty; there is nothing to index.", code="Empty")
    ending = ending_of(document.id)
    named = ENDINGS.get(ending) or _from_hint(document.content_type)
    if b"%PDF-" in content[:1024] and (named is Format.PDF or not looks_like_text(content) or content[:5] == b"%PDF-"):
        return Format.PDF
    if content[:4] == b"PK\x03\x04":
        if b"word/" in content:
            return Format.DOCX
    elif content[:8] == _OLD_OFFICE:
        raise _old_office(named)
    elif looks_like_text(content):
        if named is Format.PDF or named is Format.DOCX:
            raise DocumentError(
                f"The document is named .{ending} but holds plain text: give it its right ending or exclude it.",
                code="ParseFailed",
            )
        if named is not Format.MARKDOWN and _HTML_START.match(content, 0, 4096):
            return Format.HTML
        return named or Format.TEXT
    raise _not_supported(named, ending, content)


def _from_hint(content_type: str) -> Format | None:
    name = content_type.partition(";")[0].strip().lower()
    if name == "application/xhtml+xml":
        return Format.HTML
    return next((format_ for format_ in Format if format_ == name), None)


def _old_office(named: Format | None) -> DocumentError:
    if named is Format.DOCX:
        return DocumentError(
            "The document is protected by a password or in Word's old format: save it as .docx without a password.",
            code="Encrypted",
        )
    return DocumentError("The document is in an old Office format: save it as .docx or PDF.", code="UnsupportedFormat")


def _not_supported(named: Format | None, ending: str, content: bytes) -> DocumentError:
    match named:
        case Format.PDF | Format.DOCX:
            return DocumentError(
                f"The document is named .{ending} but is no such file, or is damaged: replace it or exclude it.",
                code="ParseFailed",
            )
        case Format.TEXT | Format.MARKDOWN | Format.HTML:
            at = max(find_binary(content), 0)
            name = "a NUL" if content[at] == 0 else "a control character"
            return DocumentError(
                f"The document is not text{f', though it is named .{ending}' if ending else ''}: byte {at} is {name} "
                f"(0x{content[at]:02x}); take it out, give a binary file its right ending, or exclude it.",
                code="NotText",
            )
        case None:
            return DocumentError(
                "The document is a binary file of a format that is not supported: exclude it, or save it as PDF, DOCX, "
                "HTML, Markdown or text.",
                code="UnsupportedFormat",
            )
