import time

import pytest

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers.decoding import decode


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;38;5;208mbold\x1b[m", "red and bold"),
        ("\x1b]0;a title\x07text\x1b(B", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a stray \x1bHello", "a stray Hello"),
        ("cut off \x1b[", "cut off ["),
        ("a]0;b\x1b]\nc", "a]0;b]\nc"),
    ],
)
def test_what_tells_a_terminal_its_colours_is_taken_out(content: str, text: str) -> None:
    assert decode(content.encode()) == text


def test_no_escape_sequence_is_slow() -> None:
    started = time.process_time()
    for content in ("\x1b", "\x1b[", "\x1b]", "\x1b[0", "\x1b] "):
        decode(content.encode() * 300_000)
    assert time.process_time() - started < 5


def test_a_nul_in_utf_16_is_named_with_its_place() -> None:
    with pytest.raises(DocumentError, match="a NUL at character 2,") as caught:
        decode("ab\0c".encode("utf-16"))
    assert caught.value.code == "NotText"
