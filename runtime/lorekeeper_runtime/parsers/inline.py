"""Marks inside a line of Markdown: links give way to their text, comments go, code stays as it is."""

import html
import re

__all__ = ["clean_prose", "plain_heading", "strip_tags"]

_DESTINATION = (
    r"\(\s*(?:<[^<>\n]{0,2000}>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?:\s+(?:\"[^\"]{0,500}\"|'[^']{0,500}'|\([^()]{0,500}\)))?\s*\)"
)
_LINK = re.compile(rf"(?<!`)(`++)[^`]{{1,2000}}\1(?!`)|!?\[([^\[\]]*)\](?:{_DESTINATION}|\[([^\[\]]*)\])?")
"""Code, which is kept, or something in brackets."""

_CODE_OR_COMMENT = re.compile(r"(?<!`)(`++)[^`]{1,2000}\1(?!`)|<!--.*?-->", re.DOTALL)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<![A-Za-z\[][^<>]*>|<\?[^<>]*>")

_EMPHASIS = re.compile(
    r"(?<!\\)(\*{1,3}|~~)(?=\S)([^*~]+)(?<=[^\s\\])\1|(?<![\w\\])(_{1,3})(?=\S)([^_]+)(?<=[^\s\\])\3(?!\w)"
)
_CODE = re.compile(r"(?<!`)(`++) ?(.{1,500}?) ?(?<!`)\1(?!`)")
_ATTRIBUTES = re.compile(r"[ \t]*\{[#.:][^{}]*\}$")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def clean_prose(text: str, references: frozenset[str]) -> str:
    """Replace links by their text and images by their description, and take out comments; code stays.

    Args:
        text: Markdown without code blocks.
        references: Labels in lower case that the document defines: only their brackets are links.
    """
    if "<!--" in text:
        text = _without_comments(text)
    if "](" in text or (references and "]" in text):
        text = _unlink(text, references)
        if "](" in text:  # an image inside a link
            text = _unlink(text, references)
    return text


def _without_comments(text: str) -> str:
    # Behind the last end of a comment nothing is searched: text with a thousand beginnings would be read as often.
    end = text.rfind("-->")
    if end < 0:
        return text
    end = text.find("\n", end)
    if end < 0:
        end = len(text)
    return _CODE_OR_COMMENT.sub(lambda match: match[0] if match[1] else "", text[:end]) + text[end:]


def _unlink(text: str, references: frozenset[str]) -> str:
    def replace(match: re.Match[str]) -> str:
        whole: str = match[0]
        label: str | None = match[2]
        if label is None:
            return whole
        if whole[-1] == ")":
            return label
        reference: str = match[3] or label
        return label if _label(reference) in references else whole

    return _LINK.sub(replace, text)


def _label(text: str) -> str:
    return " ".join(text.split()).casefold()


def strip_tags(text: str) -> str:
    """Return the text of raw HTML inside Markdown."""
    if "-->" in text:
        text = _without_comments(text)
    if "</s" in text.lower():
        text = _HIDDEN.sub("", text)
    lines = [" ".join(line.split()) for line in html.unescape(_TAG.sub("", text)).split("\n")]
    return "\n".join([line for line in lines if line])


def plain_heading(text: str, references: frozenset[str]) -> str:
    """Return a heading without markup, in one line."""
    text = clean_prose(_ATTRIBUTES.sub("", text), references)
    if "<" in text:
        text = _TAG.sub("", text)
    if "*" in text or "_" in text or "~" in text:
        text = _EMPHASIS.sub(r"\2\4", _EMPHASIS.sub(r"\2\4", text))
    if "`" in text:
        text = _CODE.sub(r"\2", text)
    if "\\" in text:
        text = _ESCAPE.sub(r"\1", text)
    return " ".join(html.unescape(text).split())
