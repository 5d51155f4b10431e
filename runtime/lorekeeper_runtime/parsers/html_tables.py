"""Tables of HTML pages as rows of text."""

from selectolax.lexbor import LexborNode

__all__ = ["table_rows"]


def table_rows(table: LexborNode) -> list[str] | None:
    """Return the rows of a table, its cells divided by bars; None for a table that only arranges other blocks."""
    if table.css_first("pre, table table, h1, h2, h3, h4") is not None:
        return None
    rows: list[str] = []
    if (caption := table.css_first("caption")) is not None:
        rows.append(" ".join(caption.text().split()))
    for row in table.css("tr"):
        cells = [
            " ".join(cell.text(separator=_between(cell)).split()) for cell in row.iter() if cell.tag in {"td", "th"}
        ]
        if any(cells):
            rows.append(f"| {' | '.join(cells)} |")
    return [row for row in rows if row]


def _between(cell: LexborNode) -> str:
    """What stands between the texts of a cell: a space where it holds blocks, or their words would be glued."""
    return " " if cell.css_first("p, div, li") is not None else ""
