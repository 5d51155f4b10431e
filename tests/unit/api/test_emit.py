import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lorekeeper_api.emit import emit_yaml

TEXTS = [
    *("", "a", "two words", "trailing ", " leading", "a\nb", "tab\there", "a: b", "a #b", "- a", "? a", "'q'", '"q"'),
    *("yes", "No", "null", "~", "1", "1.5", "1e3", "0x1F", "1_000", "2026-01-01", "12:30:45", ".5", ".inf", "=", "<<"),
    *(
        "back\\slash",
        'it\'s "so"',
        "ümlaut",
        "emoji \U0001f600",
        "*",
        "&a",
        "!tag",
        "|",
        ">",
        "%x",
        "@x",
        "`x`",
        "{",
        "[",
    ),
    *(
        "x" * 300,
        "word " * 60 + "end",
        "word " * 60,
        "# " + "word " * 60 + "x",
        "two  blanks " * 20 + "x",
        "a " * 90 + "- b",
    ),
    *("\x85", "\u2028", "\ufeff", "\x7f", "nul\x00"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back(text: str) -> None:
    value = {"key": text, "list": [text, {"a": text, "b": [text]}]}
    assert yaml.safe_load(emit_yaml(value)) == value


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6) | st.text(max_size=150),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=12), values, max_size=4))
def test_everything_comes_back(value: dict[str, object]) -> None:
    assert yaml.safe_load(emit_yaml(value)) == value


def test_is_in_block_style() -> None:
    assert emit_yaml({"a": {"b": [1, {"c": True, "d": []}]}, "e": {}}) == (
        "a:\n  b:\n    - 1\n    - c: true\n      d: []\ne: {}\n"
    )


def test_other_values_are_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        emit_yaml({"a": object()})
