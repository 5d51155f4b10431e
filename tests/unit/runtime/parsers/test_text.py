import time

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


def test_white_space_at_the_beginning_is_not_slow() -> None:
    started = time.process_time()
    for blank in (" ", " \n", "\n", "\t"):
        text.parse(RawDocument("a.txt", blank.encode() * 300_000 + b"a"))
    assert time.process_time() - started < 5
