"""Where a long text is cut: at the end of a paragraph, else at a line of its own, a sentence, any line, a word.

All searching is left to `str.rfind`: nothing here walks over characters, which is what makes it fast.
"""

import re

from lorekeeper_runtime.chunking.characters import FIRST_JOINING, whole_character

__all__ = ["Span", "after_gap", "cut_inside", "cut_near_fence", "fence_around", "find_fences", "repeat_from"]

Span = tuple[int, int]
"""Begin and end in a text."""

_GAP = re.compile(r"(?:[^\S\n]*\n)+|[^\S\n]*")
"""White space between two chunks; the indentation of the next line is not part of it."""

_SENTENCE_ENDS = (".", "?", "!")
"""They end a sentence before white space."""

_ALL_SENTENCE_ENDS = (*_SENTENCE_ENDS, "。", "！", "？", "।")  # noqa: RUF001 - full stops of other scripts

_LINE_ENDS = frozenset(".!?:;|>`")
"""A line that ends so is a line of its own, not a part of a wrapped paragraph."""

_LINE_BEGINNINGS = frozenset("-*+|#>\t •0123456789")


def find_fences(text: str) -> list[Span]:
    """Return the code blocks of a text, last one first, so that those that are done with come off the end.

    One that is never closed reaches to the end of the text.
    """
    fences: list[Span] = []
    # A single character is looked for twenty times as fast as three: most texts have not even one.
    ticks = text.find("```") if "`" in text else -1
    tildes = text.find("~~~") if "~" in text else -1
    while ticks >= 0 or tildes >= 0:
        found = ticks if tildes < 0 or 0 <= ticks < tildes else tildes
        begin = text.rfind("\n", 0, found) + 1
        end = text.find("\n", found)
        if end < 0:
            break
        if mark := _mark_of(text[begin:end]):
            end = _end_of_fence(text, mark, end)
            fences.append((begin, end))
        if 0 <= ticks < end:
            ticks = text.find("```", end)
        if 0 <= tildes < end:
            tildes = text.find("~~~", end)
    return fences[::-1]


def _mark_of(line: str) -> str:
    """The mark that a code block begins with on a line; empty when none does."""
    line = line.lstrip(" \t")
    rest = line.lstrip(line[0])
    mark = line[: len(line) - len(rest)]
    return mark if mark.startswith("~~~") or (mark.startswith("```") and "`" not in rest) else ""


def _end_of_fence(text: str, mark: str, at: int) -> int:
    """Where the code block ends whose first line ends at a position."""
    while (found := text.find(mark, at)) >= 0:
        begin = text.rfind("\n", 0, found) + 1
        end = text.find("\n", found)
        end = len(text) if end < 0 else end
        if not text[begin:end].strip(f"{mark[0]} \t"):
            return end
        at = end
    return len(text)


def fence_around(fences: list[Span], start: int, position: int) -> Span | None:
    """Return the code block that a position lies in, None at its edges; blocks before `start` are forgotten."""
    while fences and fences[-1][1] <= start:
        fences.pop()
    for begin, end in reversed(fences):
        if position < end:
            return (begin, end) if begin < position else None
    return None


def cut_near_fence(text: str, fence: Span, *, start: int, done: int, floor: int, limit: int) -> int:
    """Cut beside a code block where that keeps it whole, else between its lines."""
    begin, end = fence
    if end <= limit:
        return end
    before = begin - 1  # the line feed before the block
    if before > done and text[start:before].strip() and (end - begin <= limit - start or before > floor):
        return before
    for separator in ("\n\n", "\n", " "):
        cut = text.rfind(separator, floor + 1, limit + len(separator))
        if cut > 0:
            return cut
    return whole_character(text, floor, limit)


def cut_inside(text: str, floor: int, start: int, limit: int) -> int:
    """Cut where no paragraph ends.

    Args:
        text: The text.
        floor: The cut lies after this position.
        start: Where the chunk starts; a chunk is not made shorter than half for the sake of a line or a sentence.
        limit: The cut lies here at the latest; some text follows.
    """
    low = max(floor, start + (limit - start) // 2) + 1
    line = text.rfind("\n", low, limit + 1)
    if line > 0 and (text[line - 1] in _LINE_ENDS or text[line + 1] in _LINE_BEGINNINGS):
        return line
    cut = _last_sentence(text, low, limit)
    if cut > 0:
        return cut
    if line > 0:
        return line
    for lowest in (low, floor + 1):
        cut = max(text.rfind(" ", lowest, limit + 1), text.rfind("\n", lowest, limit + 1))
        if cut > 0:
            return cut
    return limit


def _last_sentence(text: str, low: int, limit: int) -> int:
    """The last position from low to limit that is right behind a sentence; 0 when there is none."""
    last = 0
    for mark in _SENTENCE_ENDS if text.isascii() else _ALL_SENTENCE_ENDS:
        # Single characters are found fastest; "3.11" and "example.org" are looked past.
        found = text.rfind(mark, low - 1, limit)
        while found >= 0 and mark < "\x7f" and text[found + 1] not in " \n":
            found = text.rfind(mark, low - 1, found)
        if found >= last:
            last = found + 1
    return last


def after_gap(text: str, cut: int) -> int:
    """Return where the text goes on behind a cut."""
    first = text[cut]
    if first == " " and text[cut + 1] > " ":
        return cut + 1
    if first > " " and not first.isspace():
        return cut
    gap = _GAP.match(text, cut)
    return gap.end() if gap else cut


def repeat_from(text: str, low: int, cut: int, after: int, *, paragraph: bool, fences: list[Span]) -> int:
    """Return where the next chunk starts so that it repeats the end of this one: at a sentence, or at a word when the
    cut is inside a paragraph. Code is not repeated, nothing is repeated before code, and nothing where no such place is
    near.

    Args:
        text: The text.
        low: First position that may be repeated.
        cut: End of the chunk.
        after: Where the next chunk starts when nothing is repeated.
        paragraph: Whether the cut is at the end of a paragraph or code block.
        fences: Code blocks, last one first.
    """
    if fences:
        for begin, end in reversed(fences):
            if begin > after:
                break
            low = max(low, end)
        if low >= cut:
            return after
    start = _first_sentence(text, low, cut)
    if start >= cut and not paragraph:
        found = text.find(" ", low, cut)
        start = found if found >= 0 else cut
    while start < cut and text[start].isspace():
        start += 1
    if start >= cut or (text[start] >= FIRST_JOINING and whole_character(text, low, start) != start):
        return after
    return start


def _first_sentence(text: str, low: int, cut: int) -> int:
    """The first position from low that is right behind a sentence; the cut when there is none."""
    first = cut
    for mark in _SENTENCE_ENDS if text.isascii() else _ALL_SENTENCE_ENDS:
        found = text.find(mark, low, first - 1)
        while found >= 0 and mark < "\x7f" and text[found + 1] not in " \n":
            found = text.find(mark, found + 1, first - 1)
        if found >= 0:
            first = found + 1
    return first
