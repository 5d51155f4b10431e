import pytest

from lorekeeper_api.expressions import compile_expression


@pytest.mark.parametrize(
    ("expression", "text", "matches"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^\w$", "a", True),
        (r"^\w$", "\N{LATIN SMALL LETTER E WITH ACUTE}", False),
        (r"^\d$", "\N{ARABIC-INDIC DIGIT ONE}", False),
        ("b", "abc", True),
    ],
)
def test_reads_as_the_server_does(expression: str, text: str, matches: bool) -> None:
    assert (compile_expression(expression).search(text) is not None) is matches


@pytest.mark.parametrize("expression", [r"a\sb", r"[^\s]", r"\S+"])
def test_what_the_two_read_differently_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="white space"):
        compile_expression(expression)
