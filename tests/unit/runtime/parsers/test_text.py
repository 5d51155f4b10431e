import pytest

from lorekeeper_runtime.parsers import text
from lorekeeper_runtime.parsers.decoding import normalize_lines
from lorekeeper_runtime.ports import RawDocument


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("Title\n=====\n\ntext", "Title"),
        ("*****\nTitle\n*****\n", "Title"),
        ("= Title\n:toc:\n\ntext", "Title"),
        ("some text\nthat goes on", "read.me"),
        ("==== ====\na    b\n==== ====", "read.me"),
    ],
)
def test_titles(content: str, title: str) -> None:
    assert text.parse(RawDocument("docs/read.me.txt", content.encode())).title == title


def test_lines() -> None:
    assert normalize_lines("a\r\nb\rc\n \t\nd\n\u00a0\n\ne\ff") == "a\nb\nc\n\nd\n\n\ne\n\nf"
