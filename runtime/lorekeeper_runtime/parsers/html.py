"""HTML: the main content of a page, without the furniture around it."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers.decoding import decode
from lorekeeper_runtime.parsers.html_nesting import refuse_deep
from lorekeeper_runtime.parsers.html_tables import table_rows
from lorekeeper_runtime.parsers.naming import title_from_name
from lorekeeper_runtime.parsers.outline import Outline
from lorekeeper_runtime.ports import ParsedDocument, RawDocument

__all__ = ["parse"]

_CHARSET = re.compile(
    rb"<(?:meta\s[^>]{0,300}charset\s*=\s*|\?xml[^>]{0,100}encoding=)[\"']?\s*([\w.:-]+)", re.IGNORECASE
)

_FURNITURE = (
    "script, style, noscript, template, svg, iframe, object, button, select, textarea, input, nav, aside, footer, "
    "[hidden], [aria-hidden=true], [role=navigation], [role=search], [role=banner], [role=contentinfo], "
    # What documentation generators put beside headings and code, and around their pages.
    ".headerlink, .viewcode-link, .sphinxsidebar, .related"
)

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}

_BLOCKS = frozenset(_HEADINGS) | {
    *("address", "article", "blockquote", "body", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt"),
    *("fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "li", "main", "menu", "ol"),
    *("p", "pre", "search", "section", "summary", "table", "ul"),
    *("caption", "tbody", "td", "tfoot", "th", "thead", "tr"),
}

_DIVIDED = "p, div, li, td, h1, h2, h3, h4, h5, h6"

_MAX_DEPTH = 200
"""Elements inside each other; what lies deeper is taken as one text."""

_TICKS = re.compile("`+")

_PERMALINK = " ¶#\u200b\n"


def parse(document: RawDocument) -> ParsedDocument:
    """Parse a page: headings become sections, code stands in fences, tables become rows.

    Raises:
        DocumentError: It is not text, not in the encoding that it declares, or nested too deep (code TooDeep).
    """
    declared = _CHARSET.search(document.content[:2048])
    page = decode(document.content, declared[1].decode("ascii", "replace") if declared else None)
    refuse_deep(page)
    tree = LexborHTMLParser(page)
    body = tree.body
    if body is None:
        raise DocumentError("The document holds no text; there is nothing to index.", code="Empty")
    content = _main_content(tree, body)
    for node in content.css(_FURNITURE):
        node.decompose()
    for node in content.css("form, header"):
        # Some servers wrap a whole page in a form, and many articles have their heading in a header.
        if node.css_first("h1, h2, h3" if node.tag == "form" else "h1") is None:
            node.decompose()
    for node in content.css("br"):
        node.replace_with("\n")
    walker = _Walker()
    walker.walk(content)
    sections = walker.outline.close()
    named = tree.css_first("head > title")
    title = walker.outline.title or (_one_line(named.text()) if named else "") or title_from_name(document.id)
    return ParsedDocument(title, sections)


def _main_content(tree: LexborHTMLParser, body: LexborNode) -> LexborNode:
    for selector in ("main", "[role=main]", "article"):
        found = tree.css(selector)
        if len(found) == 1 and found[0].text().strip():
            return found[0]
    return body


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Walker:
    """Turns the blocks of a page into an outline."""

    def __init__(self) -> None:
        self.outline = Outline()
        self._terms: list[str] = []
        """Terms whose definition has not come yet: both stay in one paragraph."""

    def walk(self, node: LexborNode, depth: int = 0) -> None:
        """Add the content of an element that may hold headings."""
        inline: list[str] = []
        for child in node.iter(include_text=True):
            tag = child.tag
            if tag not in _BLOCKS:
                inline.append(_inline_text(child))
                continue
            self._add_inline(inline)
            inline = []
            if level := _HEADINGS.get(tag or ""):
                self._add("")
                self.outline.open_heading(level, _one_line(child.text()).rstrip(_PERMALINK))
            elif tag == "dt":
                self._terms.append(_one_line(child.text()).rstrip(_PERMALINK))
            elif (block := _leaf(child, tag or "", depth)) is not None:
                self._add(block)
            elif depth < _MAX_DEPTH:
                self.walk(child, depth + 1)
            else:
                self._add(_one_line(child.text(separator=" ")))
        self._add_inline(inline)
        if node.tag == "dl":
            self._add("")

    def _add_inline(self, inline: list[str]) -> None:
        if inline and (text := _one_line("".join(inline))):
            self._add(text)

    def _add(self, block: str) -> None:
        if self._terms:
            block = "\n".join([*self._terms, *([block] if block else ())])
            self._terms = []
        self.outline.add(block)


def _inline_text(node: LexborNode) -> str:
    """The text of something that is no block; words of blocks inside it, as in a link around a card, are divided."""
    if node.tag == "-text":
        return node.text_content or ""
    first = node.first_child
    if first is None or (first.tag == "-text" and first.next is None):
        return node.text()
    return node.text(separator=" " if node.css_first(_DIVIDED) is not None else "")


def _leaf(node: LexborNode, tag: str, depth: int) -> str | None:
    """The text of a block that holds no headings; None when its content has to be walked through."""
    match tag:
        case "p" | "dt" | "figcaption" | "summary" | "address":
            return _paragraph(node)
        case "pre":
            return _code(node)
        case "ul" | "ol" | "menu" | "dir":
            return "\n".join(_list_lines(node, tag, depth))
        case "table":
            rows = table_rows(node)
            return None if rows is None else "\n".join(rows)
        case "hr":
            return ""
        case _:
            return None


def _paragraph(node: LexborNode) -> str | None:
    text: str = node.text()
    if "\n" not in text:
        return " ".join(text.split())
    return "\n".join([line for part in text.split("\n\n") if (line := " ".join(part.split()))])


def _code(node: LexborNode) -> str:
    text: str = node.text().strip("\n").rstrip()
    if not text.strip():
        return ""
    fence = "`" * max(3, 1 + max([len(run) for run in _TICKS.findall(text)], default=0))
    return f"{fence}{_language(node)}\n{text}\n{fence}"


def _language(node: LexborNode) -> str:
    """The language that a page's generator names in a class, as GitHub, Sphinx and many highlighters do."""
    parent = node.parent
    holders = [node, node.css_first("code"), parent, parent.parent if parent else None]
    for holder in holders:
        for name in (holder.attributes.get("class") or "").split() if holder else ():
            for prefix in ("language-", "highlight-source-", "highlight-", "lang-"):
                language = name.removeprefix(prefix)
                if language != name and language not in {"default", "none", "text"}:
                    return language
    return ""


def _list_lines(node: LexborNode, tag: str, depth: int) -> list[str]:
    """A list as lines of Markdown; what belongs to an item is indented under it."""
    lines: list[str] = []
    number = 0
    for item in node.iter():
        if item.tag != "li":
            if item.tag in {"ul", "ol"} and depth < _MAX_DEPTH:
                lines += ["  " + line for line in _list_lines(item, item.tag or "", depth + 1)]
            continue
        number += 1
        mark = f"{number}. " if tag == "ol" else "- "
        blocks = _item_blocks(item, depth + 1)
        for place, line in enumerate([line for block in blocks for line in block.split("\n")]):
            lines.append((mark if place == 0 else " " * len(mark)) + line if line else "")
    return lines


def _item_blocks(node: LexborNode, depth: int) -> list[str]:
    blocks: list[str] = []
    inline: list[str] = []
    for child in node.iter(include_text=True):
        tag = child.tag or ""
        if tag not in _BLOCKS:
            inline.append(_inline_text(child))
            continue
        if text := _one_line("".join(inline)):
            blocks.append(text)
        inline = []
        if tag in _HEADINGS or depth >= _MAX_DEPTH:
            blocks.append(_one_line(child.text()))
        elif (leaf := _leaf(child, tag, depth)) is not None:
            blocks.append(leaf)
        else:
            blocks += _item_blocks(child, depth + 1)
    if text := _one_line("".join(inline)):
        blocks.append(text)
    return [block for block in blocks if block]
