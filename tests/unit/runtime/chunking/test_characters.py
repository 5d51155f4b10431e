import pytest

from lorekeeper_runtime.chunking.characters import whole_character

CHARACTERS = [
    "a",
    "é",
    "e\u0301",
    "ạ\u0302\u0301",
    "中",
    "\U0001f600",
    "\U0001f44d\U0001f3fd",  # thumbs up, skin tone
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
    "\u2764\ufe0f",  # a red heart
    "\U0001f1e9\U0001f1ea",  # a flag of two letters
    "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",  # a flag of seven
    "\u1112\u1161\u11ab",  # a Hangul syllable in three parts
    "\ud55c",
    "\u0915\u093f",  # a Devanagari letter with its vowel
    "1\ufe0f\u20e3",  # a key cap
    "\u30ab\uff9e",
]


@pytest.mark.parametrize("character", CHARACTERS)
def test_no_cut_falls_inside_a_character(character: str) -> None:
    for before in CHARACTERS:
        text = before + character + "x"
        for position in range(len(before) + 1, len(before) + len(character)):
            assert whole_character(text, 0, position) == len(before), (before, position)
        for edge in (len(before), len(before) + len(character)):
            assert whole_character(text, 0, edge) == edge


def test_flags_are_cut_in_pairs() -> None:
    text = "\U0001f1e9\U0001f1ea" * 4 + "x"
    assert [whole_character(text, 0, position) for position in range(1, 9)] == [1, 2, 2, 4, 4, 6, 6, 8]


def test_a_character_without_end_is_cut_all_the_same() -> None:
    text = "a" + "\u0301" * 50
    assert whole_character(text, 10, 40) == 40
