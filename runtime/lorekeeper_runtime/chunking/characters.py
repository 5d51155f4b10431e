"""Where a text may be cut without cutting a character as its reader sees it.

A letter with combining marks, an emoji with its modifiers, a flag or a Hangul syllable is several code points. The
rules are those of Unicode's extended grapheme clusters (UAX 29) as far as the standard library's tables reach.
"""

import unicodedata

__all__ = ["FIRST_JOINING", "whole_character"]

FIRST_JOINING = "\u0300"
"""No code point below this one ever joins the one before it (but for a line feed after a carriage return)."""

_JOINER = "\u200d"


def whole_character(text: str, floor: int, position: int) -> int:
    """Return the last position at or before `position`, after `floor`, that does not cut a character in two.

    A character that reaches back to the floor cannot be kept whole: then `position` itself is returned.
    """
    cut = position
    while cut > floor:
        if _is_boundary(text, cut):
            return cut
        cut -= 1
    return position


def _is_boundary(text: str, position: int) -> bool:
    after = text[position]
    if after < FIRST_JOINING:
        return True
    before = text[position - 1]
    if before == _JOINER or _extends(after):
        return False
    if _is_regional(after) and _is_regional(before):
        return _regional_run(text, position) % 2 == 0
    return not _is_one_syllable(before, after)


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character)[0] == "M"
        or character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, as in the flag of Wales
        or character in "\u200c\uff9e\uff9f"
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _regional_run(text: str, position: int) -> int:
    """Regional indicators right before a position: two and two make a flag."""
    start = position
    while start and _is_regional(text[start - 1]):
        start -= 1
    return position - start


def _is_one_syllable(before: str, after: str) -> bool:
    if "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb":  # vowel or final consonant
        return "\u1100" <= before <= "\u11ff" or "\ua960" <= before <= "\ua97c" or "\uac00" <= before <= "\ud7fb"
    leading = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    return leading and ("\u1100" <= after <= "\u115f" or "\ua960" <= after <= "\ua97c" or "\uac00" <= after <= "\ud7a3")
