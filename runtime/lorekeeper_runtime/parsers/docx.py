"""Word documents (.docx): paragraphs, headings by style, lists and tables, in their order."""

import io
import re
import zipfile
from collections.abc import Iterator

import docx
from docx.document import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers.naming import title_from_metadata, title_from_name
from lorekeeper_runtime.parsers.outline import Outline
from lorekeeper_runtime.ports import ParsedDocument, RawDocument

__all__ = ["parse"]

_MAX_UNPACKED_BYTES = 256 * 1024 * 1024
"""Most that the parts of a document may unpack to; the size that a part declares is the most that is read of it."""

_MAX_PARTS = 10_000

_HEADING = re.compile(r"heading ([1-9])$", re.IGNORECASE)
_CODE = re.compile(r"code|preformatted|listing|source", re.IGNORECASE)


def parse(document: RawDocument) -> ParsedDocument:
    """Parse a Word document.

    Raises:
        DocumentError: It is damaged (code ParseFailed), or unpacks to more than any document holds (TooLarge).
    """
    _refuse_bombs(document.content)
    try:
        word = docx.Document(io.BytesIO(document.content))
    except (PackageNotFoundError, zipfile.BadZipFile, SyntaxError, KeyError, ValueError, EOFError) as error:
        raise _damaged() from error
    outline = Outline()
    title = ""
    for kind, level, text in _blocks(word):
        if kind == "title":
            title = title or text
            outline.open_heading(0, text)
        elif kind == "heading":
            outline.open_heading(level, text)
        else:
            outline.add(text)
    sections = outline.close()
    told = title_from_metadata(word.core_properties.title or "")
    return ParsedDocument(title or told or outline.title or title_from_name(document.id), sections)


def _refuse_bombs(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged() from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > _MAX_UNPACKED_BYTES or len(parts) > _MAX_PARTS:
        raise DocumentError(
            f"The document unpacks to {unpacked // 2**20} MiB in {len(parts)} parts, which no text does: exclude it.",
            code="TooLarge",
        )


def _damaged() -> DocumentError:
    return DocumentError(
        "The document is a damaged Word file: check that it opens elsewhere, save it anew, or exclude it.",
        code="ParseFailed",
    )


def _blocks(word: Document) -> Iterator[tuple[str, int, str]]:
    """Yield (kind, level, text): kinds are title, heading and text. Items of a list and lines of code come together."""
    run: list[str] = []
    run_kind = ""
    for block in word.iter_inner_content():
        kind, text, level = _describe(block)
        if kind != run_kind and run:
            yield "text", 0, _joined(run_kind, run)
            run = []
        run_kind = kind
        if kind in {"item", "code"}:
            run.append(text)
        elif text:
            yield kind, level, text
    if run:
        yield "text", 0, _joined(run_kind, run)


def _joined(kind: str, lines: list[str]) -> str:
    text = "\n".join(lines)
    return f"```\n{text}\n```" if kind == "code" and text.strip() else text


def _describe(block: Paragraph | Table) -> tuple[str, str, int]:
    """Kind, text and level of a block."""
    if isinstance(block, Table):
        return "text", "\n".join(_rows(block)), 0
    style = (block.style.name if block.style is not None else "") or ""
    text = block.text
    if heading := _HEADING.match(style):
        return "heading", " ".join(text.split()), int(heading[1])
    if style == "Title":
        return "title", " ".join(text.split()), 1
    if _CODE.search(style):
        return "code", text.rstrip(), 0
    line = text.strip()
    properties = block._p.pPr  # python-docx has no public word for "is in a list"
    listed = style.startswith("List") or (properties is not None and properties.numPr is not None)
    return ("item", f"- {line}", 0) if listed and line else ("text", line, 0)


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells: list[str] = []
        last = None
        for cell in row.cells:
            if cell._tc is last:  # a merged cell comes once a column
                continue
            last = cell._tc
            cells.append(" ".join(cell.text.split()))
        if any(cells):
            yield f"| {' | '.join(cells)} |"
