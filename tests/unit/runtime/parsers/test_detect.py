import time

import pytest

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers import Format, detect_format
from lorekeeper_runtime.ports import RawDocument


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.md", b"# A", Format.MARKDOWN),
        ("UP.MD", b"# A", Format.MARKDOWN),
        ("a.mdx", b"# A", Format.MARKDOWN),
        ("page.htm", b"<p>no head", Format.HTML),
        ("a.md", b"\x1b[1m", Format.MARKDOWN),
        ("A.MARKDOWN", b"# A", Format.MARKDOWN),
        ("a.md", b"<h1 align=center>A</h1>\n\ntext", Format.MARKDOWN),
        ("a.md", b"<!doctype html><html>", Format.MARKDOWN),
        ("a.txt", b"text", Format.TEXT),
        ("a.txt", b"\n<!-- c --> <!DOCTYPE HTML><html>", Format.HTML),
        ("page", b"<html lang=en>", Format.HTML),
        ("a.html", b"<p>no head", Format.HTML),
        ("a.xhtml", b'<?xml version="1.0"?><html xmlns="x">', Format.HTML),
        ("main.py", b"print('<html>')", Format.TEXT),
        ("Makefile", b"all:\n\ttrue\n", Format.TEXT),
        ("log.txt", b"\x1b[31mred\x1b[0m text " * 20, Format.TEXT),
        ("a.pdf", b"junk before\n%PDF-1.4\n", Format.PDF),
        ("a.txt", b"%PDF-1.4\n\xff\xfe\x00", Format.PDF),
        ("about.txt", b"A file that begins with %PDF- is a PDF.", Format.TEXT),
        ("a.txt", "\ufefftext".encode("utf-16-le"), Format.TEXT),
    ],
)
def test_content_decides_before_the_name(name: str, content: bytes, expected: Format) -> None:
    assert detect_format(RawDocument(name, content)) is expected


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("text/markdown; charset=utf-8", Format.MARKDOWN),
        ("application/xhtml+xml", Format.HTML),
        ("application/octet-stream", Format.TEXT),
        ("", Format.TEXT),
    ],
)
def test_a_hint_serves_where_the_name_says_nothing(hint: str, expected: Format) -> None:
    assert detect_format(RawDocument("page", b"text", hint)) is expected
    assert detect_format(RawDocument("page.txt", b"text", hint)) is Format.TEXT


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.md", b"# Title\n\nte\0xt", "named .md: byte 11 is a NUL (0x00)"),
        ("a.txt", b"text " * 10_000 + b"\0", "named .txt: byte 50000 is a NUL (0x00)"),
        ("a.md", b"te\x01xt", "named .md: byte 2 is a control character (0x01)"),
    ],
)
def test_what_is_no_text_is_named_with_its_place(name: str, content: bytes, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        detect_format(RawDocument(name, content))
    assert caught.value.code == "NotText"
    assert said in caught.value.message


def test_many_comments_before_the_text_are_not_slow() -> None:
    started = time.process_time()
    assert detect_format(RawDocument("a.txt", b"<!-- a --> " * 90_000)) is Format.TEXT
    assert detect_format(RawDocument("a.txt", b"<!-- a --> " * 30 + b"<html>")) is Format.HTML
    assert time.process_time() - started < 2
