"""The contract of `ports.Parser`: every format gives title, headings, pages and text, and fails in one sentence."""

import io
import sys
import zipfile
from pathlib import Path

import pytest

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers import Format, detect_format, find_parser, parse
from lorekeeper_runtime.ports import RawDocument, Section

DOCUMENTS = Path(__file__).parent.parent / "data" / "documents"


def _read(name: str) -> RawDocument:
    return RawDocument(name, (DOCUMENTS / name).read_bytes())


EXPECTED: dict[str, tuple[Format, str, list[Section]]] = {
    "handbook.md": (
        Format.MARKDOWN,
        "The Handbook",
        [
            Section("Welcome"),
            Section(
                "Read the opening hours and a map first.\nSee the rules, Rules and [what is not defined][nowhere].\n\n"
                "The door code is `[1](2)`.",
                ("Handbook of the house",),
            ),
            Section(
                "Wash up after use.\n\n```sh\n# not a heading\n[kept](as-it-is) <!-- too -->\n```\n\n"
                "```\n# neither is this\nindented = True\n```",
                ("Handbook of the house", "Kitchen"),
            ),
            Section(
                "| shelf | owner |\n|-------|-------|\n| top   | Anna  |\n\n- milk\n  - oat milk\n\n"
                "    # inside the list\n\nWhoever takes it, replaces it.",
                ("Handbook of the house", "Fridge"),
            ),
            Section("Freezer", ("Handbook of the house", "Fridge")),
            Section("Last words", ("Handbook of the house",)),
        ],
    ),
    "page.html": (
        Format.HTML,
        "Kettles & pots",
        [
            Section("Boil fresh water, then wait a minute.", ("Kettles & pots",)),
            Section(
                '```python3\ndef boil():\n    return "hot <tea>"\n```\n\n'
                "- Fill it\n- Switch it on\n  1. Press\n  2. Wait\n\n"
                "Mark\nThe highest level.\n\nSizes\n| Size | Litres |\n| small | 1.0 |\n| large | 1.7 l |",
                ("Kettles & pots", "Use"),
            ),
            Section("Empty", ("Kettles & pots", "Use")),
        ],
    ),
    "notes.rst": (
        Format.TEXT,
        "Notes",
        [Section("=====\nNotes\n=====\n\nPlain text stays as it is.\n\n.. code-block:: python\n\n    x = 1")],
    ),
    "manual.pdf": (
        Format.PDF,
        "The Kettle",
        [
            Section(
                "Manual of the Kettle\nFill the kettle with fresh water.\n"
                "Never fill it over the mark: it would boil over.",
                page=1,
            ),
            Section("Care\nRemove lime with vinegar once a month.", page=2),
        ],
    ),
    "policy.docx": (
        Format.DOCX,
        "Travel policy",
        [
            Section("Who travels for us books early.", ("Travel policy",)),
            Section("Second class is the rule.\n\n- Reserve a seat\n- Keep the ticket", ("Travel policy", "Trains")),
            Section("| Country | A day |\n| France | 44 euros |\n| Total |", ("Travel policy", "Trains", "Rates")),
            Section('```\nbook(\n    "Paris",\n)\n```', ("Travel policy", "Booking by program")),
        ],
    ),
    "utf16.txt": (Format.TEXT, "utf16", [Section("# Zürich\n\nThe fare is € 5.")]),
    "utf8-mark.md": (Format.MARKDOWN, "Zürich", [Section("The fare is € 5.", ("Zürich",))]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_title_headings_pages_and_text(name: str) -> None:
    format_, title, sections = EXPECTED[name]
    document = _read(name)
    assert detect_format(document) is format_
    parsed = parse(document)
    assert parsed.title == title
    assert parsed.sections == sections
    assert find_parser(format_).parse(document) == parsed


@pytest.mark.parametrize("name", EXPECTED)
def test_the_same_bytes_give_the_same_sections_whatever_the_folder(name: str) -> None:
    content = _read(name).content
    assert parse(RawDocument(f"deep/er/{name}", content)) == parse(RawDocument(name, content))


def _word(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return file.getvalue()


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package, package.open("word/document.xml", "w") as part:
        for _ in range(300):
            part.write(bytes(2**20))
    return file.getvalue()


FAILING: dict[str, tuple[str, bytes | None, str, str]] = {
    # name of the case: id, content (None: the file of that name), code, words of the way out
    "empty": ("empty.md", None, "Empty", "nothing to index"),
    "no bytes": ("a.pdf", b"", "Empty", "nothing to index"),
    "only front matter": ("a.md", b"---\ntitle: A\n---\n", "Empty", "nothing to index"),
    "page without text": ("a.html", b"<html><body><nav>menu</nav></body></html>", "Empty", "nothing to index"),
    "binary named .md": ("a.md", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4, "NotText", "right ending"),
    "NUL bytes": ("a.txt", b"text\0more", "NotText", "right ending"),
    "control characters": ("a.txt", bytes(range(1, 9)) * 20, "NotText", "right ending"),
    "latin-1": ("latin1.txt", None, "InvalidEncoding", "save it as UTF-8"),
    "half a character": ("a.md", "Zürich"[:2].encode()[:-1], "InvalidEncoding", "save it as UTF-8"),
    "odd UTF-16": ("a.txt", b"\xff\xfea\0b", "InvalidEncoding", "save it as UTF-8"),
    "wrong charset": ("a.html", b'<meta charset="ascii"><p>\x81</p>', "InvalidEncoding", "save it as UTF-8"),
    "broken PDF": ("broken.pdf", None, "ParseFailed", "exclude it"),
    "no PDF at all": ("a.pdf", b"%PDF-1.7 nothing else", "ParseFailed", "exclude it"),
    "text named .pdf": ("a.pdf", b"just text", "ParseFailed", "right ending"),
    "picture named .pdf": ("a.pdf", b"\x89PNG\r\n\x1a\n\0\0\0", "ParseFailed", "exclude it"),
    "PDF with a password": ("encrypted.pdf", None, "Encrypted", "without one"),
    "PDF of pictures": ("scanned.pdf", None, "NoTextLayer", "OCR"),
    "broken DOCX": ("broken.docx", None, "ParseFailed", "exclude it"),
    "text named .docx": ("a.docx", b"just text", "ParseFailed", "right ending"),
    "DOCX without its parts": ("a.docx", _word({"word/other.xml": b"<a/>"}), "ParseFailed", "exclude it"),
    "DOCX with a password": (
        "a.docx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "Encrypted",
        "without a password",
    ),
    "old Word": ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "UnsupportedFormat", "save it as .docx"),
    "spreadsheet": ("a.xlsx", _word({"xl/workbook.xml": b"<a/>"}), "UnsupportedFormat", "exclude it"),
    "picture": ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0", "UnsupportedFormat", "exclude it"),
    "zip bomb": ("a.docx", _bomb(), "TooLarge", "exclude it"),
}


@pytest.mark.parametrize("case", FAILING)
def test_what_cannot_be_read_fails_with_one_sentence_that_says_what_to_do(case: str) -> None:
    name, content, code, way_out = FAILING[case]
    document = _read(name) if content is None else RawDocument(name, content)
    with pytest.raises(DocumentError) as caught:
        parse(document)
    assert caught.value.code == code
    assert way_out in caught.value.message
    assert caught.value.message.startswith("The document ")
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message


def test_the_place_of_a_wrong_byte_is_named() -> None:
    with pytest.raises(DocumentError) as caught:
        parse(_read("latin1.txt"))
    assert "at byte 3" in caught.value.message


def test_entities_of_a_docx_are_not_expanded() -> None:
    document = zipfile.ZipFile(io.BytesIO(_read("policy.docx").content))
    parts = {name: document.read(name) for name in document.namelist()}
    text = parts["word/document.xml"].decode()
    declaration = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname"><!ENTITY l "laugh">]>'
    start = text.index("?>") + 2
    text = text[:start] + declaration + text[start:].replace("Second class", "&e;&l; class")
    parts["word/document.xml"] = text.encode()
    try:
        parsed = parse(RawDocument("a.docx", _word(parts)))
    except DocumentError:
        return
    assert "laugh" not in str(parsed)


def test_heavy_libraries_are_imported_by_what_needs_them() -> None:
    import subprocess

    program = (
        "import sys\n"
        "from lorekeeper_runtime.parsers import parse\n"
        "from lorekeeper_runtime.ports import RawDocument\n"
        "parse(RawDocument('a.md', b'# A\\n\\ntext'))\n"
        "print([name for name in ('pypdfium2', 'docx', 'lxml', 'selectolax') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
