"""Which parts of the passages support an answer to a question, and whether any does."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lorekeeper_runtime.models.sentences import Unit, UnitKind, split_units
from lorekeeper_runtime.models.words import SYNONYMS, content_words, stem
from lorekeeper_runtime.ports import Passage

__all__ = ["Candidate", "choose", "collect_candidates", "score_words"]

MAX_QUOTES = 3
MAX_QUOTE_CHARACTERS = 1500
"""Longest part of a passage that is quoted, also of code or a list below the sentence that introduces it."""

SYNONYM_SHARE = 0.8
"""What a word counts that stands in the text as another one of the same meaning."""
CONTEXT_SHARE = 0.7
"""What a word counts that stands in a heading above or in a list below, and not in the text itself."""
NEIGHBOUR_SHARE = 0.35
"""What a word counts that stands in the sentence before: "it" mostly means something there."""

LIGHT_SHARE = 0.4
"""What a word counts for that many questions have and few answers repeat."""
_LIGHT = frozenset(
    stem(word)
    for word in """allow available call change check choose configure define describe difference enable exist mean
    option provide require run set show start stop store support supported take version""".split()  # noqa: SIM905
)

WORDS_WEIGHT, MEANING_WEIGHT = 0.5, 0.5
SUPPORT = 0.52
"""Least combined score of an answer's first quote; see tests/unit/runtime/models/questions.py for how it was found."""
SUPPORT_BY_WORDS = 0.5
"""The same where there is no calibrated similarity."""


# Forms of questions, and of the sentences that answer them.
_HOW_TO = re.compile(r"\bhow (?:do|can|to|should|would)\b|\b(?:what|which) (?:command|option|flag)\b", re.IGNORECASE)
_CONSEQUENCE = re.compile(r"\bwhat happens\b", re.IGNORECASE)
_PURPOSE = re.compile(r"^\W*to \w+\b[^.]*, \W*(?:run|use|set|add|start|stop|choose|call|open|give)\b", re.IGNORECASE)
_DEFINITION = re.compile(r"^\s*(?:what(?:'s| is| are| does)|define|explain)\b", re.IGNORECASE)
_COUNTED = re.compile(
    r"\bhow (?:many|much|long|large|big|small|often|old|fast)\b|\b(?:what|which) (?=(?:port|size|versions?|number)\b)",
    re.IGNORECASE,
)
_REASON = re.compile(r"^\s*why\b", re.IGNORECASE)
_TIME = re.compile(
    r"^\s*(?:when (?:was|were|did|will)|what (?:date|year|day|time)|which (?:year|day))\b", re.IGNORECASE
)
_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|none)\b", re.IGNORECASE)
_DATE = re.compile(
    r"\b(?:\d{4}|\d{1,2}[:.]\d{2}|(?:jan|febr)uary|march|april|may|june|july|august|(?:septem|octo|novem|decem)ber|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|daily|weekly|time|zone|hours?|minutes?|days?)\b",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"`[^`]+`|^\W*(?:to |run|use|set|add|start|stop|choose|call|open|create|put|write|give|install|fetch|point)\b",
    re.IGNORECASE,
)
_BECAUSE = re.compile(r"\b(?:because|since|so that|therefore|which is why|in order to)\b", re.IGNORECASE)
_SUBJECT_END = re.compile(
    r"\b(?:(?:is|are|was|were) (?=(?:an?|the|one|any|all|what|something|every)\b)|"
    r"(?:means?|stands? for|keeps?|describes?|names?|holds?)\b)"
)


@dataclass(slots=True)
class Candidate:
    """Something that can be quoted."""

    passage: Passage
    order: int
    """Position in its passage."""
    unit: Unit
    following: str = ""
    """Code or list that the sentence introduces."""
    neighbour: str = ""
    """Sentence before it in the same paragraph."""
    words: float = 0.0
    """Share of the question's words, by their weight, that it holds: 0 to 1."""
    meaning: float | None = None
    """Cosine similarity to the question; None when it was not measured."""
    score: float = 0.0
    own: set[str] = field(default_factory=set)
    """Stems of its words."""
    asked: set[str] = field(default_factory=set)
    """Those of them that the question has."""

    def context(self) -> str:
        """What belongs to it without being in it: the headings above, the head of its table, what it introduces."""
        headings = (self.passage.title, *self.passage.headings, *self.unit.headings)
        return "\n".join((*headings, self.unit.before, self.following))

    def meaning_text(self) -> str:
        """What is embedded: the text under its nearest heading."""
        nearest = [*self.passage.headings, *self.unit.headings] or [self.passage.title]
        parts = (f"{nearest[-1]}:", self.unit.before, self.unit.text, self.following[:300])
        return "\n".join(part for part in parts if part)

    def quote(self) -> str:
        """The text with its mark."""
        mark = f"[{self.passage.number}]"
        if self.unit.kind is UnitKind.SENTENCE:
            text = f"{_escape_marks(self.unit.text)} {mark}"
            return f"{text}\n\n{self.following}" if self.following else text
        if self.unit.kind is UnitKind.ITEM:
            return f"{_escape_marks(self.unit.text)} {mark}"
        if self.unit.kind is UnitKind.ROW:
            head = self.unit.before + "\n" if self.unit.before else ""
            return head + _mark_row(_escape_marks(self.unit.text), mark)
        return f"{self.unit.text}\n\n{mark}"

    def follow(self, previous: "Candidate") -> str:
        """The text with its mark as it stands below another quote; the head of their table is not repeated."""
        quote = self.quote()
        if self.unit.kind is UnitKind.ROW and self._same_block(previous):
            quote = quote.removeprefix(self.unit.before + "\n")
        return self._separator(previous) + quote

    def _same_block(self, other: "Candidate") -> bool:
        return self.passage is other.passage and self.unit.block == other.unit.block

    def _separator(self, previous: "Candidate") -> str:
        """What stands between two quotes: a space inside a paragraph, a line inside a list."""
        if previous.following or not self._same_block(previous):
            both_prose = self.unit.kind is previous.unit.kind is UnitKind.SENTENCE and not previous.following
            return " " if both_prose else "\n\n"
        return " " if self.unit.kind is UnitKind.SENTENCE else "\n"


_FOREIGN_MARK = re.compile(r"(`[^`]*`)|\[(\d+)\](?!\()")


def _escape_marks(text: str) -> str:
    """A "[2]" of the document's own is no citation: round brackets instead, except in code."""
    return _FOREIGN_MARK.sub(lambda match: match[1] or f"({match[2]})", text)


def _mark_row(row: str, mark: str) -> str:
    """Put a mark into the last cell of a table's row: below the row it would be a line that belongs to nothing."""
    cells, bar, _ = row.rstrip().rpartition("|")
    return f"{cells.rstrip()} {mark} |" if bar and cells.strip(" |") else f"{row} {mark}"


def collect_candidates(passages: Sequence[Passage]) -> list[Candidate]:
    """Return all that can be quoted, without what overlapping passages repeat."""
    seen: set[str] = set()
    candidates = []
    for passage in passages:
        units = split_units(passage.text)
        for order, unit in enumerate(units):
            key = " ".join(unit.text.split())
            if key in seen or len(unit.text) > MAX_QUOTE_CHARACTERS or not any(map(str.isalnum, key)):
                continue
            seen.add(key)
            before = units[order - 1] if order else None
            neighbour = before.text if before and (before.block == unit.block or unit.kind is UnitKind.CODE) else ""
            following = _introduced(units, order) if unit.text.rstrip("*_").endswith(":") else ""
            candidates.append(Candidate(passage, order, unit, following, neighbour))
    return candidates


_CODE = re.compile(r"`[^`]+`")
_PLACEHOLDER = re.compile(r"(?<=[\s=/])[A-Z]{2,}\b(?!_)")


def _drop_placeholders(unit: Unit) -> str:
    """The text without the values that inline code leaves open: `-f FILE` says nothing about files."""
    return _CODE.sub(lambda match: _PLACEHOLDER.sub(" ", match[0]), unit.text)


def _introduced(units: Sequence[Unit], order: int) -> str:
    """The code block, list or table that a sentence ending in a colon introduces."""
    follows = units[order + 1 :]
    if not follows or follows[0].kind is UnitKind.SENTENCE:
        return ""
    block = [unit.text for unit in follows if unit.block == follows[0].block]
    if follows[0].before:
        block.insert(0, follows[0].before)
    while len(block) > 1 and sum(map(len, block)) > MAX_QUOTE_CHARACTERS:
        block.pop()
    return "\n".join(block)


def score_words(question: str, candidates: list[Candidate]) -> list[Candidate]:
    """Give each candidate the share of the question's words that it holds.

    A word that few candidates hold weighs more, and one that none holds weighs most: an answer without it is doubtful.
    """
    # "How long may it be" is answered by a number and not by the word "long".
    wanted = set(content_words(_COUNTED.sub(" ", question))) or set(content_words(question))
    for candidate in candidates:
        candidate.own = set(content_words(_drop_placeholders(candidate.unit)))
        candidate.asked = candidate.own & wanted
    if not wanted or not candidates:
        return candidates
    around = [
        (candidate, set(content_words(candidate.context())), set(content_words(candidate.neighbour)))
        for candidate in candidates
    ]
    count = len(candidates)
    same = {word: SYNONYMS.get(word, frozenset()) for word in wanted}
    found = {
        word: sum(word in one.own or word in above or not same[word].isdisjoint(one.own) for one, above, _ in around)
        for word in wanted
    }
    weights = {
        word: math.log(1 + (count + 1) / (found[word] + 0.5)) * (LIGHT_SHARE if word in _LIGHT else 1)
        for word in wanted
    }
    total = sum(weights.values())
    for candidate, above, near in around:
        held = 0.0
        for word in wanted:
            if word in candidate.own:
                held += weights[word]
            elif not same[word].isdisjoint(candidate.own):
                held += weights[word] * SYNONYM_SHARE
            elif word in above:
                held += weights[word] * CONTEXT_SHARE
            elif word in near:
                held += weights[word] * NEIGHBOUR_SHARE
        candidate.words = held / total
    return candidates


def _fit(question: str, candidate: Candidate) -> float:
    """A small bonus for the form that an answer to such a question has."""
    text = candidate.unit.text
    bonus = 0.0
    if _HOW_TO.search(question) and (_INSTRUCTION.search(text) or "```" in candidate.following):
        bonus += 0.06
    if _CONSEQUENCE.search(question) and _PURPOSE.search(text):  # it says how to bring something else about
        bonus -= 0.15
    if _COUNTED.search(question) and _NUMBER.search(text):
        bonus += 0.06
    if _REASON.search(question) and _BECAUSE.search(text):
        bonus += 0.06
    if _TIME.search(question) and not _DATE.search(text):
        bonus -= 0.15
    if _DEFINITION.search(question) and _defines(question, text):
        bonus += 0.10
    if candidate.order == 0 and _is_about(question, candidate):
        bonus += 0.08
    if text.rstrip().endswith("?"):  # a question of the document answers nothing
        bonus -= 0.15
    return bonus


def _is_about(question: str, candidate: Candidate) -> bool:
    """Whether the nearest heading asks the question or names its whole subject: the text begins with the answer."""
    above = candidate.unit.headings or candidate.passage.headings or (candidate.passage.title,)
    wanted = set(content_words(question))
    return bool(wanted) and wanted == set(content_words(above[-1]))


def _defines(question: str, text: str) -> bool:
    """Whether a sentence has the question's subject before its first "is", "means" or "keeps"."""
    subject = set(content_words(question))
    begin = _SUBJECT_END.split(text, maxsplit=1)
    if len(begin) == 1 or len(begin[0].split()) > 6 or not subject or not subject <= set(content_words(begin[0])):
        return False
    # "Lorekeeper" is a name, "a lorekeeper" is not; the question's first word is capitalised for another reason.
    names = re.findall(r"(?<=\s)[A-Z]\w*", question)
    return all(name in begin[0] for name in names)


def choose(question: str, candidates: Sequence[Candidate], floor: float | None) -> list[Candidate]:
    """Return up to three candidates that support an answer, in reading order; none when there is no support.

    Args:
        question: What is asked.
        candidates: Scored by words and, where there is an embedder, by meaning.
        floor: Similarity from which a passage is about the question; 0 when it is not known, None without similarities.
    """
    for candidate in candidates:
        candidate.score = _combine(candidate, candidates, floor) + _fit(question, candidate)
    ranked = sorted(candidates, key=lambda candidate: -candidate.score)
    if not ranked or ranked[0].score < (SUPPORT if floor else SUPPORT_BY_WORDS):
        return []
    best = ranked[0]
    chosen = [best]
    for candidate in ranked[1:]:
        if len(chosen) == MAX_QUOTES:
            break
        if _adds(candidate, best, chosen):
            chosen.append(candidate)
    places = {passage.number: place for place, passage in enumerate(dict.fromkeys(one.passage for one in chosen))}
    return sorted(chosen, key=lambda one: (places[one.passage.number], one.order))


def _combine(candidate: Candidate, candidates: Sequence[Candidate], floor: float | None) -> float:
    if floor is None or candidate.meaning is None:
        return candidate.words
    if floor:  # shifted so that every calibrated model's floor lies at 0.3
        return WORDS_WEIGHT * candidate.words + MEANING_WEIGHT * (candidate.meaning - floor + 0.3)
    # Nobody knows what this model's similarities mean: they order the candidates, support comes from the words.
    known = [one.meaning for one in candidates if one.meaning is not None]
    spread = max(known) - min(known)
    return candidate.words + (0.2 * (candidate.meaning - max(known)) / spread if spread else 0.0)


def _adds(candidate: Candidate, best: Candidate, chosen: Sequence[Candidate]) -> bool:
    """Whether a further quote helps: a close one from the same place, or one as good from elsewhere."""
    if any(candidate.unit.text in one.following for one in chosen):
        return False
    if any(_repeats(candidate, one) for one in chosen):
        return False
    if candidate.unit.kind is UnitKind.ROW and not candidate.asked >= best.asked:
        return False  # the rows of a table stand beside each other without saying more about each other
    same_block = any(one.passage is candidate.passage and one.unit.block == candidate.unit.block for one in chosen)
    adjacent = any(one.passage is candidate.passage and abs(one.order - candidate.order) == 1 for one in chosen)
    share = 0.6 if same_block and adjacent else 0.75 if same_block or adjacent else 0.88
    return candidate.score >= share * best.score


def _repeats(left: Candidate, right: Candidate) -> bool:
    smaller = min(len(left.own), len(right.own))
    return smaller > 0 and len(left.own & right.own) >= 0.8 * smaller
