"""Markdown, by a line scanner: the block structure of CommonMark as far as sections and code need it.

Headings and code blocks at the top level are those of CommonMark. What stands in lists and quotes stays text. Parsers
that build a whole syntax tree are twenty times slower, which is more than embedding a document costs elsewhere.
"""

import re

from lorekeeper_runtime.parsers.decoding import decode
from lorekeeper_runtime.parsers.inline import clean_prose, plain_heading, strip_tags
from lorekeeper_runtime.parsers.markdown_blocks import (
    FENCE,
    ITEM,
    RULE,
    atx_heading,
    columns_before,
    html_block_end,
    item_end,
    quote_end,
)
from lorekeeper_runtime.parsers.naming import title_from_name
from lorekeeper_runtime.parsers.outline import Outline
from lorekeeper_runtime.ports import ParsedDocument, RawDocument, Section

__all__ = ["parse"]

_FRONT_MATTER = re.compile(r"(---|\+\+\+)[ \t]*\n(?=[\w\"'-]+[ \t]*[:=])(.*?\n)?(?:\1|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(['\"]?)(.+?)\1[ \t]*$", re.MULTILINE | re.IGNORECASE)

_SETEXT = re.compile(r"(=+|-+)[ \t]*$")
_LABEL = re.compile(r"^ {0,3}\[(?!\^)([^\[\]\n]{1,999})\]:[ \t]*\S", re.MULTILINE)
_DEFINITION = re.compile(
    r"\[(?!\^)[^\[\]]{1,999}\]:[ \t]*(?:<[^<>]*>|[^\s<]\S*)(?:[ \t]+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ \t]*$"
)
_QUOTE_MARKS = re.compile(r"(?: {0,3}> ?)+")
_BULLETS = frozenset({"- ", "* ", "+ "})
_TICKS = re.compile(r"`{3,}")

_SPECIAL = frozenset("#=-`~>*+_<[ \t0123456789")
"""First characters of lines that may be more than text; all other lines are passed over as fast as Python can."""


def parse(document: RawDocument) -> ParsedDocument:
    """Parse a Markdown document.

    Raises:
        DocumentError: It is not text, or not in UTF-8 or UTF-16.
    """
    text = decode(document.content)
    title = ""
    if front := _FRONT_MATTER.match(text):
        found = _FRONT_TITLE.search(front[2] or "")
        title = found[2].strip() if found else ""
        text = text[front.end() :]
    scanner = _Scanner(text)
    sections = scanner.scan()
    return ParsedDocument(title or scanner.title or title_from_name(document.id), sections)


class _Scanner:
    """Walks over the lines of a document once."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at = 0
        """The line it stands at."""
        self._kept = 0
        """Lines before this one are in the outline or left out."""
        self._paragraph = -1
        """First line of the open paragraph; -1 when none is open."""
        self._outline = Outline()
        labels = _LABEL.findall(text) if "]:" in text else []
        self._references = frozenset([" ".join(label.split()).casefold() for label in labels])

    @property
    def title(self) -> str:
        """The first heading of the highest level."""
        return self._outline.title

    def scan(self) -> list[Section]:
        """Return the sections of the document."""
        lines, special, count = self._lines, _SPECIAL, len(self._lines)
        while self._at < count:
            line = lines[self._at]
            if not line:
                self._paragraph = -1
                self._at += 1
            elif line[0] not in special or not self._take_block(line):
                if self._paragraph < 0:
                    self._paragraph = self._at
                self._at += 1
        self._keep(count)
        return self._outline.close()

    def _take_block(self, line: str) -> bool:
        """Take the block that begins at this line; False when the line belongs to a paragraph."""
        text = line.lstrip(" \t")
        if not text:  # the first or last line of the document
            return self._keep(self._at, self._at + 1)
        indent = columns_before(line, text)
        if indent >= 4:
            return self._paragraph < 0 and self._take_indented_code()
        match text[0]:
            case "#":
                return self._take_atx(text)
            case "`" | "~":
                return self._take_fence(text, indent)
            case "<":
                return self._take_html(text)
            case ">":
                return self._take_quote()
            case "[":
                return self._take_definition(text)
            case _:
                return self._take_setext(text) or self._take_rule(text) or self._take_item(text, indent)

    # --- headings

    def _take_atx(self, text: str) -> bool:
        heading = atx_heading(text)
        if heading is None:
            return False
        self._keep(self._at, self._at + 1)
        self._open_heading(len(text) - len(text.lstrip("#")), heading)
        return True

    def _take_setext(self, text: str) -> bool:
        if self._paragraph < 0 or not _SETEXT.match(text):
            return False
        level = 1 if text[0] == "=" else 2
        heading = " ".join(self._lines[self._paragraph : self._at])
        self._keep(self._paragraph, self._at + 1)
        self._open_heading(level, heading)
        return True

    def _open_heading(self, level: int, heading: str) -> None:
        self._outline.open_heading(level, plain_heading(heading, self._references))

    # --- code

    def _take_fence(self, text: str, indent: int) -> bool:
        fence = FENCE.match(text)
        if fence is None:
            return False
        mark: str = fence[1] or fence[3]
        begin = end = self._at + 1
        lines, count = self._lines, len(self._lines)
        while end < count and not (mark in lines[end] and _closes(lines[end], mark)):
            end += 1
        code = lines[begin:end]
        if indent:
            code = [_without_columns(line, indent) for line in code]
        self._keep(self._at, end + 1)
        self._add_code(code, mark, (fence[2] or fence[4] or "").strip())
        return True

    def _take_indented_code(self) -> bool:
        end = last = self._at
        for end in range(self._at, len(self._lines)):
            line = self._lines[end]
            text = line.lstrip(" \t")
            if text:
                if columns_before(line, text) < 4:
                    break
                last = end
        code = [_without_columns(line, 4) for line in self._lines[self._at : last + 1]]
        self._keep(self._at, last + 1)
        longest = max([len(run) for run in _TICKS.findall("\n".join(code))], default=2)
        self._add_code(code, "`" * max(3, longest + 1), "")
        return True

    def _add_code(self, code: list[str], mark: str, info: str) -> None:
        text = "\n".join(code).strip("\n")
        if text.strip():
            self._outline.add(f"{mark}{info}\n{text}\n{mark}")

    # --- what is left out or kept as text

    def _take_rule(self, text: str) -> bool:
        if text[0] not in "-*_" or not RULE.match(text):
            return False
        return self._keep(self._at, self._at + 1)

    def _take_definition(self, text: str) -> bool:
        if self._paragraph >= 0 or not _DEFINITION.match(text):
            return False
        return self._keep(self._at, self._at + 1)

    def _take_html(self, text: str) -> bool:
        end = html_block_end(self._lines, self._at, text, in_paragraph=self._paragraph >= 0)
        if end is None:
            return False
        begin = self._at
        self._keep(begin, end)
        self._outline.add(strip_tags("\n".join(self._lines[begin:end])))
        return True

    def _take_item(self, text: str, indent: int) -> bool:
        item = ITEM.match(text)
        if item is None or (self._paragraph >= 0 and not (item[4] and item[2] in {None, "1"})):
            return False
        # Lists of single lines are most of all lists: only the last item is looked at closely.
        lines, at = self._lines, self._at + 1
        while at < len(lines) and lines[at][:2] in _BULLETS and not RULE.match(lines[at]):
            text, indent = lines[at], 0
            at += 1
        self._at = item_end(lines, at - 1, text, indent)
        self._paragraph = -1
        return True

    def _take_quote(self) -> bool:
        begin, end = self._at, quote_end(self._lines, self._at)
        self._keep(begin, end)
        lines = [_QUOTE_MARKS.sub("", line) for line in self._lines[begin:end]]
        self._outline.add(clean_prose("\n".join(lines).strip("\n"), self._references))
        return True

    def _keep(self, end: int, next_line: int | None = None) -> bool:
        """Put the lines up to `end` into the outline as text, and stand at `next_line` with no paragraph open."""
        if end > self._kept:
            text = "\n".join(self._lines[self._kept : end]).strip("\n")
            if text:
                self._outline.add(clean_prose(text, self._references))
        self._kept = self._at = end if next_line is None else next_line
        self._paragraph = -1
        return True


def _closes(line: str, mark: str) -> bool:
    """Whether a line ends the code block that began with this mark."""
    text = line.strip(" \t")
    return text.startswith(mark) and not text.strip(mark[0]) and columns_before(line, line.lstrip(" \t")) < 4


def _without_columns(line: str, columns: int) -> str:
    """A line without so many columns of its indentation, or without all of it where there are fewer."""
    text = line.lstrip(" \t")
    return line[: len(line) - len(text)].expandtabs(4)[columns:] + text
