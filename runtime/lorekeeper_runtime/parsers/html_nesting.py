"""How deep the elements of an HTML page are nested, found before a tree is built.

By the HTML standard a start tag looks at every element that is open, and an unclosed `<b>` comes again in each
paragraph that follows. So one megabyte can cost minutes and gigabytes in any parser that keeps to it: browsers
stop at 512. The count here follows the standard's stack of open elements; where it cannot, it counts more, not fewer.
"""

import re

from lorekeeper_runtime.errors import DocumentError

__all__ = ["MAX_OPEN", "refuse_deep"]

MAX_OPEN = 1000
"""Elements that may be open at once."""

_MAX_ATTRIBUTES = 2000
"""Attributes of one tag: each is compared with all that stand before it."""

_MAX_REOPENED = 5_000_000
"""Elements that a parser may have to open anew because their formatting was never closed: about a gigabyte of tree."""

_TAG = re.compile(r"<(?:(/?)([a-z][^\s/>]*)([^<>]*)|(!--))", re.IGNORECASE)
_LONG_TAG = re.compile(r"<[a-z][^<>]{8000}", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_COMMENT_END = re.compile(r"--!?>")

_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})
"""Elements that hold no tags."""

_NEVER_NESTED = frozenset(
    {
        # without content
        "area",
        "base",
        "basefont",
        "bgsound",
        "br",
        "col",
        "embed",
        "frame",
        "hr",
        "img",
        "input",
        "keygen",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        # closed by the next one of their kind: they are inside each other only through elements that are counted
        "html",
        "head",
        "body",
        "p",
        "li",
        "dt",
        "dd",
        "option",
        "tr",
        "tbody",
        "thead",
        "tfoot",
        "colgroup",
    }
)

_ENCLOSING = frozenset(
    {"table", "template", "object", "applet", "marquee", "select", "svg", "math", "td", "th", "caption"}
)
"""Elements that an end tag inside them does not reach out of."""

_CELLS = frozenset({"td", "th", "caption"})
_ROWS = frozenset({"tr", "tbody", "thead", "tfoot", "col", "colgroup"}) | _CELLS
_FOREIGN = frozenset({"svg", "math"})

_LOOSE = frozenset(
    {"b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u", "a", "nobr", "form"}
)
"""Elements whose end tag closes them alone, and that stay open when one around them ends."""

_SINGLE = frozenset({"a", "nobr", "form"})
"""Those of which one is open at a time."""

_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "button",
        "center",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "header",
        "heading",
        "hgroup",
        "listing",
        "main",
        "menu",
        "nav",
        "ol",
        "pre",
        "search",
        "section",
        "summary",
        "ul",
    }
)
"""Elements whose end tag closes all that is open inside; that of any other is ignored when one of these is inside."""

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


def refuse_deep(page: str) -> None:
    """Refuse a page that would take a parser minutes.

    Raises:
        DocumentError: More elements are open at once than `MAX_OPEN`, or formatting is left open so often that the tree
            would not fit into memory (code TooDeep); or a tag has thousands of attributes (ParseFailed).
    """
    if page.count("<") - page.count("</") <= MAX_OPEN and not _LONG_TAG.search(page):  # as with most pages
        return
    count = _OpenElements()
    at = 0
    while (tag := _TAG.search(page, at)) is not None:
        at = tag.end()
        if tag[4]:
            end = _COMMENT_END.search(page, at - 2)
            if end is None:
                return
            at = end.end()
        elif tag[1]:
            count.close(tag[2].lower())
        else:
            name = tag[2].lower()
            if name in _RAW and not count.foreign:
                raw_end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(page, at)
                if raw_end is None:
                    return
                at = raw_end.end()
            elif not (count.foreign and tag[3].endswith("/")):
                count.open(name)
            if len(tag[3]) > 2 * _MAX_ATTRIBUTES and len(_QUOTED.sub(" ", tag[3]).split()) > _MAX_ATTRIBUTES:
                raise DocumentError(
                    f"The document is HTML with more than {_MAX_ATTRIBUTES} attributes in one tag: repair the tag, or "
                    "exclude the document.",
                    code="ParseFailed",
                )
            if count.depth > MAX_OPEN or count.reopened > _MAX_REOPENED:
                raise DocumentError(
                    f"The document is HTML with more than {MAX_OPEN} elements open inside each other: close its tags, "
                    "or exclude it.",
                    code="TooDeep",
                )


class _OpenElements:
    """The elements that are open at a place of a page, in the segments that end tags do not reach out of."""

    def __init__(self) -> None:
        self.depth = 0
        self.reopened = 0
        """Sum over all start tags of the formatting that was open."""
        self._owners = [""]
        self._open: list[list[str]] = [[]]
        self._loose: list[list[str]] = [[]]

    @property
    def foreign(self) -> bool:
        """Whether this is a drawing or a formula, where all names nest and `/>` closes."""
        return self._owners[-1] in _FOREIGN

    def open(self, name: str) -> None:
        """Count a start tag."""
        self.reopened += len(self._loose[-1])
        owner = self._owners[-1]
        if name in _ROWS and owner in _CELLS:
            self._leave()
            owner = self._owners[-1]
        if name in _ENCLOSING:
            if name not in _CELLS or owner == "table":
                self._owners.append(name)
                self._open.append([])
                self._loose.append([])
                self.depth += 1
        elif owner in _FOREIGN:
            self._open[-1].append(name)
            self.depth += 1
        elif name in _LOOSE:
            if name not in _SINGLE or name not in self._loose[-1]:
                self._loose[-1].append(name)
                self.depth += 1
        elif name not in _NEVER_NESTED:
            self._open[-1].append("heading" if name in _HEADINGS else name)
            self.depth += 1

    def close(self, name: str) -> None:
        """Count an end tag."""
        owner = self._owners[-1]
        if owner in _CELLS and (name == "table" or (name in _ROWS and name not in _CELLS)):
            self._leave()
            owner = self._owners[-1]
        if name in _ENCLOSING:
            if name == owner:
                self._leave()
        elif name in _LOOSE:
            if name in self._loose[-1]:
                self._loose[-1].remove(name)
                self.depth -= 1
        else:
            self._close_inner("heading" if name in _HEADINGS else name)

    def _close_inner(self, name: str) -> None:
        elements = self._open[-1]
        if name not in elements:
            return
        at = len(elements) - 1
        while elements[at] != name:
            if name not in _BLOCKS and elements[at] in _BLOCKS:
                return
            at -= 1
        self.depth -= len(elements) - at
        del elements[at:]

    def _leave(self) -> None:
        """Close the innermost segment. Formatting that was opened in a table, outside its cells, goes on behind it."""
        owner = self._owners.pop()
        self.depth -= 1 + len(self._open.pop())
        loose = self._loose.pop()
        if owner == "table":
            self._loose[-1] += loose
        else:
            self.depth -= len(loose)
