"""Units of a passage that can be quoted on their own: sentences, list items, table rows, code blocks."""

import re
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["FENCE", "Unit", "UnitKind", "split_sentences", "split_units"]


class UnitKind(Enum):
    """What a unit is."""

    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


@dataclass(slots=True)
class Unit:
    """A part of a passage, as it is quoted."""

    kind: UnitKind
    text: str
    """The words of the passage; line breaks inside a paragraph are spaces."""
    block: int
    """Number of the paragraph, list, table or code block that it belongs to."""
    headings: tuple[str, ...] = ()
    """Headings inside the passage that it stands under."""
    before: str = ""
    """What a quote of it needs before it: the head of its table."""


@dataclass(slots=True)
class _Scan:
    """What has been read of a passage."""

    units: list[Unit] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    kind: UnitKind = UnitKind.SENTENCE
    block: int = 0
    headings: list[tuple[int, str]] = field(default_factory=list)
    table_head: str = ""

    def end_block(self) -> None:
        """Make units of the lines read and begin a new block."""
        self.end_unit()
        self.block += 1
        self.kind = UnitKind.SENTENCE
        self.table_head = ""

    def end_unit(self) -> None:
        """Make units of the lines read; the block goes on."""
        lines, self.lines = self.lines, []
        if not lines:
            return
        if self.kind is UnitKind.SENTENCE:
            for sentence in split_sentences(" ".join(line.strip() for line in lines)):
                self.add(sentence)
        elif self.kind is UnitKind.ITEM:
            self.add("\n".join([lines[0].strip(), *(line.rstrip() for line in lines[1:])]))
        else:
            self.add("\n".join(lines))

    def add(self, text: str) -> None:
        """Keep a unit of the current kind."""
        headings = tuple(heading for _, heading in self.headings)
        self.units.append(Unit(self.kind, text, self.block, headings, self.table_head))


FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
"""How a line begins that opens or closes a code block."""
_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*$")
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S")
_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*$")
_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-{2,}[ \t:|-]*$")
_QUOTE = re.compile(r"[ \t]*>[ \t]?")


def split_units(text: str) -> list[Unit]:
    """Split a passage into units, in reading order. Headings become context, they are no units."""
    scan = _Scan()
    lines = text.splitlines()
    fence = _open_fence(lines)
    if fence:  # the chunk begins inside a code block
        scan.kind = UnitKind.CODE
        scan.lines.append(fence)
    for line in lines:
        if fence:
            scan.lines.append(line)
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                scan.end_block()
                fence = ""
        elif opening := FENCE.match(line):
            scan.end_block()
            scan.kind, fence = UnitKind.CODE, opening[1]
            scan.lines.append(line)
        else:
            _read_line(scan, line)
    if fence:  # the chunk ends inside a code block
        scan.lines.append(fence)
    scan.end_block()
    return scan.units


def _open_fence(lines: list[str]) -> str:
    """The fence that a passage begins inside of: its first fence closes, bare and right below a line of code."""
    fences = [number for number, line in enumerate(lines) if FENCE.match(line)]
    if len(fences) % 2 == 0 or fences[0] == 0 or not lines[fences[0] - 1].strip():
        return ""
    first = lines[fences[0]].strip()
    return first if not first.strip(first[0]) else ""


def _read_line(scan: _Scan, line: str) -> None:
    """Read a line outside fences."""
    if not line.strip():
        scan.end_block()
    elif heading := _HEADING.match(line):
        scan.end_block()
        level = len(heading[1])
        scan.headings = [(other, text) for other, text in scan.headings if other < level] + [(level, heading[2])]
    elif _ROW.match(line):
        _read_row(scan, line)
    elif _ITEM.match(line):
        if scan.kind is UnitKind.ITEM:
            scan.end_unit()
        else:
            scan.end_block()
            scan.kind = UnitKind.ITEM
        scan.lines.append(line)
    elif scan.kind is UnitKind.CODE or (not scan.lines and line.startswith(("    ", "\t"))):
        if scan.kind is UnitKind.CODE and not line.startswith(("    ", "\t")):
            scan.end_block()
        else:
            scan.kind = UnitKind.CODE
        scan.lines.append(line)
    else:
        if scan.kind is UnitKind.ROW:
            scan.end_block()
        scan.lines.append(_QUOTE.sub("", line) if scan.kind is UnitKind.SENTENCE else line)


def _read_row(scan: _Scan, line: str) -> None:
    if scan.kind is not UnitKind.ROW:
        scan.end_block()
        scan.kind = UnitKind.ROW
        scan.lines.append(line)
        return
    if _RULE.match(line) and scan.lines and not scan.table_head:
        scan.table_head = scan.lines.pop() + "\n" + line
        return
    scan.end_unit()
    scan.lines.append(line)


# Inline code, links and addresses are looked at as one word: what stands in them ends no sentence.
_OPAQUE = re.compile(r"`+[^`]*`+|\]\([^)\s]*\)|\b(?:https?|ftp|file)://[^\s<>)\]]+")
_END = re.compile(r"[.!?…][\"'”’)\]*_]*\s+(?=[\"'“‘(\[*_`]*[^\W\d_a-zß-öø-ÿ]|[\"'“‘(\[*_]*[`\d])|[。！？]")  # noqa: RUF001
_NO_END = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|cf|approx|incl|resp|dr|mr|mrs|prof|st|nr|fig|sec|ch|vol|ver|p|pp|al|ca|bzw)|\b[A-Za-z])\.$",
    re.IGNORECASE,
)


def split_sentences(paragraph: str) -> list[str]:
    """Split prose into sentences; abbreviations, initials, decimal numbers, inline code and addresses end none."""
    masked = _OPAQUE.sub(_mask, paragraph)
    sentences, start = [], 0
    for match in _END.finditer(masked):
        if _NO_END.search(masked, start, match.start() + 1):
            continue
        sentences.append(paragraph[start : match.end()].strip())
        start = match.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _mask(match: re.Match[str]) -> str:
    """As long as what it stands for. It keeps a first backtick, where a sentence may begin, and the full stop that
    follows an address, where one may end.
    """
    text = match[0]
    tail = "." if text.endswith(".") and not text.startswith("`") else "x"
    return (text[0] if len(text) > 1 else "") + "x" * (len(text) - 2) + tail
