"""Writes the documents of this folder that no text editor writes: `python tests/data/documents/generate.py`."""

import io
from pathlib import Path

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from reportlab.lib.pagesizes import A5
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

FOLDER = Path(__file__).parent

PAGES = [
    [
        "Manual of the Kettle",
        "",
        "Fill the kettle with fresh water.",
        "Never fill it over the mark: it would boil o\u00ad",
        "ver.",
    ],
    ["Care", "", "Remove lime with vinegar once a month."],
]


def make_pdf(pages: list[list[str]], *, title: str = "", password: str | None = None) -> bytes:
    file = io.BytesIO()
    encryption = StandardEncryption(password, ownerPassword="owner", strength=128) if password else None
    canvas = Canvas(file, pagesize=A5, invariant=1, encrypt=encryption)
    canvas.setTitle(title)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(50, 550 - 18 * number, line)
        if not lines:
            canvas.rect(50, 50, 100, 100, fill=1)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def make_docx() -> Document:
    document = docx.Document()
    document.add_heading("Travel policy", 0)
    document.add_paragraph("Who travels for us books early.")
    document.add_heading("Trains", 1)
    document.add_paragraph("Second class is the rule.")
    document.add_paragraph("Reserve a seat", style="List Bullet")
    document.add_paragraph("Keep the ticket", style="List Bullet")
    document.add_heading("Rates", 2)
    table = document.add_table(rows=3, cols=2)
    for row, cells in zip(table.rows, [("Country", "A day"), ("France", "44 euros"), ("Total", "")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table.rows[2].cells[0].merge(table.rows[2].cells[1])
    document.add_heading("Booking by program", 1)
    code = document.styles.add_style("Source Code", WD_STYLE_TYPE.PARAGRAPH)
    for line in ("book(", '    "Paris",', ")"):
        document.add_paragraph(line, style=code)
    return document


def main() -> None:
    (FOLDER / "manual.pdf").write_bytes(make_pdf(PAGES, title="The Kettle"))
    (FOLDER / "encrypted.pdf").write_bytes(make_pdf(PAGES, password="secret"))
    (FOLDER / "scanned.pdf").write_bytes(make_pdf([[], []]))
    (FOLDER / "broken.pdf").write_bytes(make_pdf(PAGES)[:400])
    make_docx().save(str(FOLDER / "policy.docx"))
    (FOLDER / "broken.docx").write_bytes((FOLDER / "policy.docx").read_bytes()[:3000])
    (FOLDER / "empty.md").write_bytes(b"\n  \n")
    (FOLDER / "latin1.txt").write_bytes("Caf\u00e9 au lait costs 3 euros.\n".encode("latin-1"))
    for name, encoding in (("utf16.txt", "utf-16"), ("utf8-mark.md", "utf-8-sig")):
        (FOLDER / name).write_bytes("# Z\u00fcrich\r\n\r\nThe fare is \u20ac 5.\r\n".encode(encoding))


if __name__ == "__main__":
    main()
