"""Words of English text, reduced so that forms of one word meet. Other languages lose nothing but their stop words."""

import re
from functools import lru_cache

__all__ = ["STOP_WORDS", "SYNONYMS", "content_words", "stem"]

STOP_WORDS = frozenset(
    """a about after all already also am an and any anyone anything are as at be because been before being but by can
    cannot could did do does doing done each else ever every everything explain find for from further get gets give
    given gives go goes going got had handle handled handles happen happens has have having he her here him his how
    however i if in into is it its itself just kind know let like list made make makes many may me mean means might
    mine more most much must my need needs no nor not of off on once one only onto or other our out own per please
    possible say says see shall she should show so some someone something sometimes such sure tell than that the
    their them then there these they thing things this those through thus to too under until up upon us use used
    uses using very via want was way ways we well were what whatever when where whether which while who whom whose
    why will with within without work works would yes yet you your""".split()  # noqa: SIM905
)
"""Words that say nothing about what a text is about, with those that only shape a question."""

_WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)*")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_VOWEL = re.compile(r"[aeiouy]")
_WHOLE = frozenset({"embed"})
_APOSTROPHE = re.compile(r"['’](?:s|t|re|ve|ll|d|m)\b")  # noqa: RUF001


def content_words(text: str) -> list[str]:
    """Return the stems of a text's words without stop words, in order. Names like topK and top_k fall into parts."""
    plain = _CAMEL.sub(" ", _APOSTROPHE.sub(" ", text)).lower()
    return [stem(word) for word in _WORD.findall(plain) if word not in STOP_WORDS]


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """Reduce an English word: plurals, -ing, -ed, -tion, -ment, -ly and a last e go."""
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("iness") and len(word) > 7:
        word = word[:-5] + "y"
    for suffix, least in (("ations", 3), ("ation", 3), ("ating", 3), ("ated", 3), ("ate", 4), ("ions", 4), ("ion", 4)):
        if word.endswith(suffix) and len(word) - len(suffix) >= least:
            return _finish(word[: -len(suffix)])
    if word in _WHOLE or word.endswith("eed"):
        return word
    for suffix, least in (("ing", 3), ("ed", 3), ("ment", 4), ("ly", 4), ("able", 4), ("er", 5), ("or", 5)):
        if word.endswith(suffix) and len(word) - len(suffix) >= least and _VOWEL.search(word[: -len(suffix)]):
            return _finish(word[: -len(suffix)])
    return _finish(word)


def _finish(word: str) -> str:
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeioulsz":
        return word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


SYNONYMS = {
    stem(word): frozenset(map(stem, group.split())) - {stem(word)}
    for group in (
        "delete remove erase",
        "document file",
        "change modify edit update",
        "choose select pick",
        "fail failure error",
        "forbid prohibit disallow",
        "fix repair mend",
        "buy purchase",
        "cost price",
        "licence license",
        "colour color",
    )
    for word in group.split()
}
"""By stem, the stems that say the same in most texts."""
