"""From bytes to text: UTF-8, UTF-16 with a byte order mark, or what an HTML page declares."""

import codecs
import re

from lorekeeper_runtime.errors import DocumentError

__all__ = ["decode", "find_binary", "looks_like_text", "normalize_lines"]

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b"))
"""Control characters that no text has: escape and backspace occur in logs and manual pages."""

_SAMPLE_BYTES = 16_384

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[()][0-9AB])?")
"""A sequence for a terminal: colours and cursor, titles and links, character sets; or a lone escape character."""

_BLANK_LINE = re.compile(r"\n[^\S\n]+(?=\n)")


def _byte_order_mark(content: bytes) -> str | None:
    return next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)


def looks_like_text(content: bytes) -> bool:
    """Say whether bytes are text in some encoding."""
    return find_binary(content) < 0


def find_binary(content: bytes) -> int:
    """Return where the first byte is that no text has, -1 when all is text.

    A single NUL tells a binary file wherever it stands; other control characters only when there are many at the
    beginning.
    """
    if _byte_order_mark(content):
        return -1
    nul = content.find(b"\0")
    if nul >= 0:
        return nul
    sample = content[:_SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return next(at for at, byte in enumerate(sample) if byte in _CONTROLS) if controls * 100 > len(sample) else -1


def decode(content: bytes, declared: str | None = None) -> str:
    """Return the text of a document, its lines ended by line feeds, its blank lines empty, and without the escape
    sequences by which terminals are told colours.

    Args:
        content: The bytes.
        declared: Encoding that the document itself declares; a byte order mark wins over it.

    Raises:
        DocumentError: The bytes are not in that encoding (code InvalidEncoding), or hold NUL bytes (NotText).
    """
    encoding = _byte_order_mark(content) or _known(declared) or "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"The document is not valid {encoding.upper()} at byte {error.start}: save it as UTF-8 or exclude it.",
            code="InvalidEncoding",
        ) from error
    nul = text.find("\0")
    if nul >= 0:
        raise DocumentError(
            f"The document has a NUL at character {nul}, which no text has: take it out, or exclude the document.",
            code="NotText",
        )
    if "\x1b" in text:
        text = _ESCAPE_SEQUENCE.sub("", text)
    return normalize_lines(text.removeprefix("\ufeff"))


def normalize_lines(text: str) -> str:
    """End lines by line feeds and empty those that hold nothing but white space."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\f" in text:
        text = text.replace("\f", "\n\n")
    return _BLANK_LINE.sub("\n", text)


def _known(declared: str | None) -> str | None:
    if not declared:
        return None
    try:
        # Browsers read what calls itself latin-1 as windows-1252.
        name = codecs.lookup(declared).name
    except LookupError:
        return None
    return "cp1252" if name in {"iso8859-1", "ascii"} else name
