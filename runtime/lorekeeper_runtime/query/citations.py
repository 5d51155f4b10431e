"""Marks like [1] in a generated answer: only those that name a retrieved passage leave the service."""

import re
from dataclasses import dataclass

__all__ = ["CitationFilter", "Mark", "filter_marks"]

MARK_BOUND = 64
"""Longest mark, in characters, brackets included; also how much is held back after an open bracket."""
CODE_BOUND = 256
"""Longest inline code, in characters; also how much is held back after an open backtick."""
RANGE_BOUND = 50
"""Most passages that a mark like [1-3] may span; there are never more."""

_SPECIAL = re.compile(r"[\[`~]")
_ITEM = r"\d+(?:\s*[-\N{EN DASH}]\s*\d+)?"
_MARK = re.compile(rf"( ?)\[(\s*{_ITEM}(?:(?:\s*[,;]\s*|\s+){_ITEM})*\s*)\]")
_NOT_IN_MARK = re.compile(r"[^\d\s,;\N{EN DASH}-]")
_ITEMS = re.compile(r"(\d+)(?:\s*[-\N{EN DASH}]\s*(\d+))?")
_INSIDE_BRACKET = re.compile(r"\[[\d\s,;\N{EN DASH}-]*\Z")
_FENCE_PREFIX = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?")
_CLOSING_LINE = re.compile(r"[ \t>]*([`~]*)[ \t]*")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in the filtered text."""

    number: int
    """Passage that it names, from 1."""
    start: int
    """Where it begins, in characters of the filtered text."""
    end: int
    """Where it ends; the text between is `[number]`."""


class CitationFilter:
    """Filters one answer as it is written; the pieces may be cut anywhere, the result is that of the whole text.

    - `[n]` is a mark, also in `[1, 2]`, `[1-3]` and `[1][2]`; each leaves as a bracket of its own: `[1][2]`.
    - A number that names no passage is taken out, with the one space before it when nothing of the mark is left.
    - Fenced code and inline code (closed on the same line) pass unchanged: `a[1]` in it is no mark.

    At most `CODE_BOUND` characters are held back, after an open backtick; text without brackets or backticks is not
    held back at all, except one space at its end.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._buffer = ""
        self._length = 0
        self._line = ""
        self._tail = ""
        self._fence = ""
        self._fence_may_close = True
        self.marks: list[Mark] = []
        """Marks that have left, in order."""
        self.removed = 0
        """Numbers taken out because they name no passage."""

    @property
    def cited(self) -> list[int]:
        """Passages that the text names, in order of their first mark."""
        return list(dict.fromkeys(mark.number for mark in self.marks))

    def feed(self, text: str) -> str:
        """Take the next piece; return what may leave by now."""
        self._buffer += text
        return self._drain(final=False)

    def finish(self) -> str:
        """Return what was held back."""
        return self._drain(final=True)

    def _drain(self, *, final: bool) -> str:
        out: list[str] = []
        while self._buffer:
            step = self._in_fence(final=final) if self._fence else self._in_text(final=final)
            if step is None:
                break
            consumed, text = step
            self._buffer = self._buffer[consumed:]
            self._emit(text)
            out.append(text)
        return "".join(out)

    def _emit(self, text: str) -> None:
        """Remember what the next decision needs: the beginning of the current line, and the last characters."""
        self._length += len(text)
        before, newline, line = text.rpartition("\n")
        self._line = (line if newline else self._line + before + line)[:CODE_BOUND]
        self._tail = (self._tail + text)[-MARK_BOUND:]

    # Each step returns (characters consumed, text that leaves), or None when it must see more.

    def _in_text(self, *, final: bool) -> tuple[int, str] | None:
        buffer = self._buffer
        found = _SPECIAL.search(buffer)
        end = found.start() if found else len(buffer)
        if found and buffer[end] == "[" and buffer[end - 1 : end] == " ":
            end -= 1  # the space goes with a mark that is taken out
        elif not found and not final and buffer.endswith(" "):
            end -= 1
        if end:
            return end, buffer[:end]
        if not found:
            return None
        if buffer[found.start()] == "[":
            return self._bracket(final=final)
        return self._code(buffer[0], final=final)

    def _bracket(self, *, final: bool) -> tuple[int, str] | None:
        mark = _MARK.match(self._buffer)
        if mark and mark.end() - mark.end(1) <= MARK_BOUND:
            return mark.end(), self._rewrite(mark)
        bracket = self._buffer.index("[")
        other = _NOT_IN_MARK.search(self._buffer, bracket + 1)
        end = other.start() if other else len(self._buffer)
        if end - bracket >= MARK_BOUND:
            return bracket + 1, self._buffer[:bracket]  # endless digits: without its bracket it is no mark to anyone
        if other is None and not final:
            return None
        return bracket + 1, self._buffer[: bracket + 1]

    def _rewrite(self, mark: re.Match[str]) -> str:
        numbers: list[int] = []
        for first, last in _ITEMS.findall(mark[2]):
            low = int(first)
            high = int(last) if last else low
            numbers.extend(range(low, high + 1) if low <= high < low + RANGE_BOUND else (low, high))
        valid = [number for number in dict.fromkeys(numbers) if 1 <= number <= self._count]
        self.removed += len(set(numbers)) - len(valid)
        if not valid:
            # Inside another bracket a gap would let its two sides grow together to a mark: [1[9]2] to [12].
            return "?" if _INSIDE_BRACKET.search(self._tail + mark[1]) else ""
        text = mark[1]
        for number in valid:
            start = self._length + len(text)
            text += f"[{number}]"
            self.marks.append(Mark(number, start, self._length + len(text)))
        return text

    def _code(self, character: str, *, final: bool) -> tuple[int, str] | None:
        buffer = self._buffer
        run = len(buffer) - len(buffer.lstrip(character))
        if run >= CODE_BOUND:
            return CODE_BOUND, buffer[:CODE_BOUND]
        if run == len(buffer) and not final:
            return None
        newline = buffer.find("\n", run)
        line_end = newline if newline >= 0 else len(buffer)
        # The first line of a fence of backticks may not hold another one: that is inline code.
        opens = character == "~" or "`" not in buffer[run : min(line_end, CODE_BOUND)]
        if run >= 3 and opens and _FENCE_PREFIX.fullmatch(self._line):
            if newline < 0 and not final and line_end < CODE_BOUND:
                return None
            self._fence, self._fence_may_close = character * run, newline >= 0
            return (line_end + 1 if newline >= 0 else line_end), buffer[: line_end + 1]
        if character == "~":
            return run, buffer[:run]
        closing = re.compile(rf"(?<!`)`{{{run}}}(?!`)").search(buffer, run, min(line_end, CODE_BOUND))
        if closing and (closing.end() < len(buffer) or final):
            return closing.end(), buffer[: closing.end()]
        if newline < 0 and not final and len(buffer) <= CODE_BOUND:
            return None
        return run, buffer[:run]

    def _in_fence(self, *, final: bool) -> tuple[int, str] | None:
        line, newline, _ = self._buffer.partition("\n")
        closing = _CLOSING_LINE.fullmatch(line) if self._fence_may_close and len(line) <= MARK_BOUND else None
        if newline:
            if closing and set(closing[1]) == set(self._fence) and len(closing[1]) >= len(self._fence):
                self._fence = ""
            self._fence_may_close = True
            return len(line) + 1, line + "\n"
        if closing and not final:
            return None
        self._fence_may_close = False
        return len(line), line


def filter_marks(text: str, count: int) -> tuple[str, list[Mark]]:
    """Filter a whole answer; see `CitationFilter`."""
    marks = CitationFilter(count)
    filtered = marks.feed(text) + marks.finish()
    return filtered, marks.marks
