"""PDF: the text layer, page by page, by PDFium."""

import re
import threading

import pypdfium2

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers.decoding import normalize_lines
from lorekeeper_runtime.parsers.naming import title_from_line, title_from_metadata, title_from_name
from lorekeeper_runtime.ports import ParsedDocument, RawDocument, Section

__all__ = ["parse"]

_PDFIUM = threading.Lock()
"""PDFium must not be entered by two threads; this guards the library, not a state of ours."""

_BROKEN_WORD = re.compile(r"[\u00ad\ufffe\x02]\n?")
"""A soft hyphen, as the file has it or as PDFium marks it, with the end of the line that it stands at."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ufffd\ufffe\uffff]")

_ERR_PASSWORD = 4


def parse(document: RawDocument) -> ParsedDocument:
    """Parse a PDF: one section a page.

    Raises:
        DocumentError: It needs a password (code Encrypted), is damaged (ParseFailed) or holds pictures of text only
            (NoTextLayer).
    """
    with _PDFIUM:
        try:
            told, pages = _read(document.content)
        except pypdfium2.PdfiumError as error:
            if error.err_code == _ERR_PASSWORD:
                raise DocumentError(
                    "The document is protected by a password: save it without one or exclude it.", code="Encrypted"
                ) from error
            raise DocumentError(
                "The document is a damaged PDF: check that it opens elsewhere, save it anew, or exclude it.",
                code="ParseFailed",
            ) from error
    texts = [_clean(page) for page in pages]
    sections = [Section(text, page=number) for number, text in enumerate(texts, 1) if text]
    if not sections:
        raise DocumentError(
            "The document has no text layer, only pictures: run text recognition (OCR) on it or exclude it.",
            code="NoTextLayer",
        )
    title = title_from_metadata(told) or title_from_line(texts[0]) or title_from_name(document.id)
    return ParsedDocument(title, sections)


def _read(content: bytes) -> tuple[str, list[str]]:
    """Title in the properties, and raw text of each page."""
    pages: list[str] = []
    pdf = pypdfium2.PdfDocument(content)
    try:
        told = str(pdf.get_metadata_value("Title"))
        for number in range(len(pdf)):
            page = pdf[number]
            text_page = page.get_textpage()
            pages.append(text_page.get_text_bounded())
            text_page.close()
            page.close()
    finally:
        pdf.close()
    return told, pages


def _clean(text: str) -> str:
    text = _BROKEN_WORD.sub("", text.replace("\r\n", "\n"))
    return normalize_lines(_UNSEEN.sub("", text)).strip()
