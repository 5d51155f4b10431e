"""Chunks along the structure of a text: sections, then paragraphs, lines, sentences and words."""

import re

from lorekeeper_api.pipeline import Chunking
from lorekeeper_runtime.chunking.characters import FIRST_JOINING, whole_character
from lorekeeper_runtime.chunking.cutting import (
    after_gap,
    cut_inside,
    cut_near_fence,
    fence_around,
    find_fences,
    repeat_from,
)
from lorekeeper_runtime.ports import Chunk, ParsedDocument, Section

__all__ = ["RecursiveChunker"]

_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")


class RecursiveChunker:
    """Cuts at headings, then paragraphs, lines, sentences and words, and keeps code blocks whole where they fit.

    Small neighbouring sections of one parent share a chunk, with their headings in its text, so that a question does
    not find one-line passages.

    Args:
        config: Size and overlap in characters. The size is a hard limit; an overlap over half the size counts as half.
    """

    def __init__(self, config: Chunking) -> None:
        self._size = config.size
        self._overlap = min(config.overlap, config.size // 2)

    def chunk(self, document: ParsedDocument) -> list[Chunk]:
        """Return the chunks in order; no text is lost and none is longer than the limit."""
        chunks: list[Chunk] = []
        group = _Group(self._size)
        for section in document.sections:
            text = _trim(section.text)
            if not text or group.add(section, text):
                continue
            if chunk := group.take():
                chunks.append(chunk)
            if group.add(section, text):
                continue
            headings, page = section.headings, section.page
            chunks.extend([Chunk(piece, headings, page) for piece in self._split(text)])
        if chunk := group.take():
            chunks.append(chunk)
        return chunks

    def _split(self, text: str) -> list[str]:
        """Cut the text of one section that is longer than a chunk."""
        size, third, overlap, length = self._size, self._size // 3, self._overlap, len(text)
        fences = find_fences(text)
        pieces: list[str] = []
        start = done = 0
        while (rest := length - start) > size:
            # A short end would be a poor passage: the last two chunks share what is left.
            limit = start + (size if rest > size + third else rest - third)
            floor = max(start + third, done)
            cut = text.rfind("\n\n", floor + 1, limit + 2)
            paragraph = cut > 0
            if not paragraph:
                cut = cut_inside(text, floor, start, limit)
            if fences and (fence := fence_around(fences, start, cut)):
                cut, paragraph = cut_near_fence(text, fence, start=start, done=done, floor=floor, limit=limit), True
            elif text[cut] >= FIRST_JOINING:
                cut = whole_character(text, done, cut)
            if piece := text[start:cut].rstrip():
                pieces.append(piece)
            done = cut
            start = (
                cut + 2 if paragraph and text.startswith("\n\n", cut) and text[cut + 2] > " " else after_gap(text, cut)
            )
            if overlap:
                low = cut - (overlap if overlap < len(piece) else len(piece) - 1)
                start = repeat_from(text, low, cut, start, paragraph=paragraph, fences=fences)
        if length > start:
            pieces.append(text[start:])
        return pieces


class _Group:
    """Small sections on their way into one chunk."""

    __slots__ = ("_enough", "_headings", "_length", "_parts", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._enough = size // 3
        self._parts: list[tuple[Section, str]] = []
        self._headings: tuple[str, ...] = ()
        self._length = 0

    def add(self, section: Section, text: str) -> bool:
        """Take a section in; False when it does not belong here or does not fit."""
        length = len(text)
        headings = section.headings
        if not self._parts:
            if length > self._size:
                return False
            self._parts.append((section, text))
            self._headings, self._length = headings, length
            return True
        if self._length >= self._enough:
            return False
        shared = headings if headings == self._headings else _shared(self._headings, headings)
        if len(shared) < len(self._parts[0][0].headings) - 1:
            return False
        parts = [*self._parts, (section, text)]
        if self._length + length + 2 > self._size or len(_join(parts, shared)) > self._size:
            return False
        self._parts, self._headings = parts, shared
        self._length += length + 2
        return True

    def take(self) -> Chunk | None:
        """Give the chunk away and start anew; None when there is nothing."""
        if not self._parts:
            return None
        chunk = Chunk(_join(self._parts, self._headings), self._headings, self._parts[0][0].page)
        self._parts = []
        return chunk


def _join(parts: list[tuple[Section, str]], shared: tuple[str, ...]) -> str:
    """The text of a group: what the common headings do not say of a section stands before it."""
    if len(parts) == 1:
        return parts[0][1]
    lines: list[str] = []
    said = shared
    for section, text in parts:
        known = len(_shared(said, section.headings))
        lines += ["#" * (level + 1) + " " + section.headings[level] for level in range(known, len(section.headings))]
        lines.append(text)
        said = section.headings
    return "\n\n".join(lines)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The headings that two paths begin with alike."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return one[:count]


def _trim(text: str) -> str:
    text = text.rstrip()
    if text and text[0].isspace():
        blank = _BLANK_LINES.match(text)
        return text[blank.end() :] if blank else text
    return text
