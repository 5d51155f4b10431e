"""Blocks of Markdown: how they begin, and where lists, quotes and raw HTML end. After the CommonMark specification."""

import re

__all__ = ["FENCE", "ITEM", "RULE", "atx_heading", "columns_before", "html_block_end", "item_end", "quote_end"]

RULE = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*){2,}$")
"""A thematic break."""

FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
"""The first line of a code block in fences: mark and info string, by backticks or by tildes."""

ITEM = re.compile(r"([-*+]|(\d{1,9})[.)])([ \t]+|$)(.?)")
"""The beginning of a list item: marker, number, white space, first character."""

_MARKS = frozenset(">#`~<-*+_0123456789")
"""What a line begins with that may be more than text."""

_MAX_NESTING = 50
"""Lists and quotes inside each other on one line; what is deeper is text."""

_RAW_TAG = re.compile(r"<(?:script|pre|style|textarea)(?:[\s>]|$)", re.IGNORECASE)
_RAW_END = re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE)
_DECLARATION = re.compile(r"<![A-Za-z]")
_BLOCK_TAG = re.compile(
    r"</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl"
    r"|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main"
    r"|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title"
    r"|tr|track|ul)(?:[\s>]|/>|$)",
    re.IGNORECASE,
)
_WHOLE_TAG = re.compile(
    r"<(?:[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s\"'=<>`]+|'[^']*'|\"[^\"]*\"))?)*\s*/?"
    r"|/[A-Za-z][A-Za-z0-9-]*\s*)>[ \t]*$"
)


def atx_heading(text: str) -> str | None:
    """Return what a line says as a heading with number signs, None when it is none."""
    rest = text.lstrip("#")
    if not 1 <= len(text) - len(rest) <= 6 or (rest and rest[0] not in " \t"):
        return None
    heading = rest.strip(" \t")
    closed = heading.rstrip("#")
    return closed.rstrip(" \t") if not closed or closed[-1] in " \t" else heading


def html_block_end(lines: list[str], at: int, text: str, *, in_paragraph: bool) -> int | None:
    """Return the line after a block of raw HTML that begins at line `at`, None when none begins there.

    Args:
        lines: The document.
        at: Its line.
        text: That line without indentation.
        in_paragraph: Whether a paragraph is open, which a tag of no importance does not end.
    """
    closing: re.Pattern[str] | str
    if text.startswith("<!--"):
        closing = "-->"
    elif text.startswith("<?"):
        closing = "?>"
    elif text.startswith("<![CDATA["):
        closing = "]]>"
    elif _DECLARATION.match(text):
        closing = ">"
    elif _RAW_TAG.match(text):
        closing = _RAW_END
    elif _BLOCK_TAG.match(text) or (not in_paragraph and _WHOLE_TAG.match(text)):
        end = at + 1
        while end < len(lines) and lines[end]:
            end += 1
        return end
    else:
        return None
    for end in range(at, len(lines)):
        if closing in lines[end] if isinstance(closing, str) else closing.search(lines[end]):
            return end + 1
    return len(lines)


def item_end(lines: list[str], at: int, text: str, indent: int) -> int:
    """Return the line after a list item that begins at line `at`.

    Args:
        lines: The document.
        at: Its line.
        text: That line without indentation.
        indent: Its indentation in columns.
    """
    offset = indent + _content_offset(text)
    fence = _fence_after("", text[offset - indent :].lstrip(" \t"))
    paragraph = _leaves_paragraph_open(text)
    if offset == indent + 2 and not text[1:].strip() and at + 1 < len(lines) and not lines[at + 1]:
        return at + 1  # an item that begins with an empty line holds nothing after a second one
    end = at + 1
    while end < len(lines):
        line = lines[end]
        rest = line.lstrip(" \t")
        columns = columns_before(line, rest)
        if not rest:
            paragraph = False
        elif columns >= offset:
            deep = columns - offset >= 4
            in_code, fence = bool(fence), _fence_after(fence, "" if deep else rest)
            paragraph = not (in_code or fence) and (paragraph if deep else _leaves_paragraph_open(rest))
        elif not paragraph or (columns < 4 and _begins_block(rest)):
            break
        end += 1
    return end


def quote_end(lines: list[str], at: int) -> int:
    """Return the line after a quote that begins at line `at`."""
    paragraph = False
    fence = ""
    end = at
    while end < len(lines):
        line = lines[end]
        rest = line.lstrip(" \t")
        columns = columns_before(line, rest)
        if rest.startswith(">") and columns < 4:
            inner = rest[1:]
            text = inner.lstrip(" \t")
            code = len(inner) - len(text) > 4 and not paragraph
            in_code, fence = bool(fence), _fence_after(fence, "" if code else text)
            paragraph = not (code or in_code or fence) and _leaves_paragraph_open(text)
        elif not rest or not paragraph or (columns < 4 and _begins_block(rest)):
            break
        end += 1
    return end


def _fence_after(fence: str, text: str) -> str:
    """The mark of the code block that is open after a line, given that of the one before it; empty for none."""
    if fence:
        return "" if text.startswith(fence) and not text.strip(f"{fence[0]} \t") else fence
    opened = FENCE.match(text)
    return str(opened[1] or opened[3]) if opened else ""


def columns_before(line: str, rest: str) -> int:
    """Return the width of the white space before the rest of a line; a tab reaches to the next multiple of four."""
    before = len(line) - len(rest)
    return len(line[:before].expandtabs(4)) if "\t" in line[:before] else before


def _content_offset(text: str) -> int:
    """Columns from a list marker to the text behind it."""
    item = ITEM.match(text)
    if item is None:
        return 0
    marker = len(item[1])
    gap = len(text[: item.end(3)].expandtabs(4)) - marker
    return marker + (gap if 1 <= gap <= 4 and item[4] else 1)


def _leaves_paragraph_open(text: str) -> bool:
    """Whether a paragraph is open after a line that begins so: the next line may go on with it, indented or not."""
    for _ in range(_MAX_NESTING):
        if not text:
            return False
        if text[0] not in _MARKS:
            return True
        if text[0] == ">":
            text = text[1:].lstrip(" \t")
        elif (item := ITEM.match(text)) and not RULE.match(text):
            if len(item[3]) > 4:
                return False
            text = text[item.end(3) :]
        else:
            return not (
                RULE.match(text)
                or atx_heading(text) is not None
                or FENCE.match(text)
                or (text[0] == "<" and html_block_end([text], 0, text, in_paragraph=False) is not None)
            )
    return True


def _begins_block(text: str) -> bool:
    """Whether a line ends a paragraph that it does not belong to by its indentation."""
    match text[0]:
        case ">":
            return True
        case "#":
            return atx_heading(text) is not None
        case "`" | "~":
            return FENCE.match(text) is not None
        case "<":
            return html_block_end([text], 0, text, in_paragraph=True) is not None
        case first:
            return first in _MARKS and (RULE.match(text) is not None or ITEM.match(text) is not None)
