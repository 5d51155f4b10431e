import pytest

from lorekeeper_api.expressions import compile_expression


@pytest.mark.parametrize(
    ("expression", "text", "matches"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^\s$", " ", True),
        (r"^\s$", "\N{NO-BREAK SPACE}", False),
        (r"^\d$", "\N{ARABIC-INDIC DIGIT ONE}", False),
        ("b", "abc", True),
    ],
)
def test_reads_as_the_server_does(expression: str, text: str, matches: bool) -> None:
    assert (compile_expression(expression).search(text) is not None) is matches
