"""Sections from a stream of headings and blocks."""

from lorekeeper_runtime.ports import Section

__all__ = ["Outline"]


class Outline:
    """Collects blocks under the path of headings that they stand under."""

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.title = ""
        """The first heading of the highest level so far."""
        self._title_level = 7
        self._path: list[tuple[int, str]] = []
        self._blocks: list[str] = []
        self._lonely = False
        """Whether nothing has come after the last heading yet."""

    def open_heading(self, level: int, heading: str) -> None:
        """Begin a section.

        Args:
            level: 1 for the highest; 0 for the title of the whole document.
            heading: Its text without markup; an empty one is ignored.
        """
        if not heading:
            return
        self._flush()
        if self._lonely and self._path and level <= self._path[-1][0]:
            self._keep_lonely_heading()
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, heading))
        self._lonely = True
        if level < self._title_level:
            self.title, self._title_level = heading, level

    def add(self, block: str) -> None:
        """Add a block of text to the open section."""
        if block and not block.isspace():
            self._blocks.append(block)

    def close(self) -> list[Section]:
        """Return the sections."""
        self._flush()
        if self._lonely:
            self._keep_lonely_heading()
        return self.sections

    def _flush(self) -> None:
        if self._blocks:
            headings = tuple([heading for _, heading in self._path])
            self.sections.append(Section("\n\n".join(self._blocks), headings))
            self._blocks = []
            self._lonely = False

    def _keep_lonely_heading(self) -> None:
        """A heading with nothing under it is text: a line of a list of changes, for example."""
        headings = tuple([heading for _, heading in self._path])
        self.sections.append(Section(headings[-1], headings[:-1]))
        self._lonely = False
