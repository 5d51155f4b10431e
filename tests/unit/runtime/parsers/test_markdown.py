import time

import pytest

from lorekeeper_runtime.parsers import markdown
from lorekeeper_runtime.parsers.inline import plain_heading
from lorekeeper_runtime.ports import ParsedDocument, RawDocument


def _parse(text: str, name: str = "a.md") -> ParsedDocument:
    return markdown.parse(RawDocument(name, text.encode()))


def _text(text: str) -> str:
    return "\n\n".join(section.text for section in _parse(text).sections)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: One: two\n---\n# A\n", "One: two"),
        ("+++\ntitle = 'One'\n+++\n\ntext", "One"),
        ("---\nlayout: page\n---\n# A\n", "A"),
        ("## B\n\n# A\n\n# C\n", "A"),
        ("text only", "folder name"),
        ("---\n\nA rule, no front matter: yes\n\n---\n", "folder name"),
        ("---\ntitle: never closed\n\n# A", "A"),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert _parse(text, "deep/folder name.md").title == title


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("*a* **b** ***c*** _d_ __e__ ~~f~~", "a b c d e f"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("`code` ``with ` tick``", "code with ` tick"),
        ("[text](url) ![image](url)", "text image"),
        ("[![badge](a)](b) Name", "badge Name"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        (r"\*a\* \[b\]", "*a* [b]"),
        ("Install {#install}", "Install"),
        ('<a name="x"></a>Anchor', "Anchor"),
    ],
)
def test_headings_have_no_markup(text: str, heading: str) -> None:
    assert plain_heading(text, frozenset()) == heading


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("[a](b) and ![c](d 'e')", "a and c"),
        ('[a](<b c> "d") [e](f(g)h)', "a e"),
        ("`[a](b)` [c](d)", "`[a](b)` c"),
        ("a[i](j) [x] (y)", "ai [x] (y)"),
        ("[a][b] [B] [b][] [c][d] x[0][1]\n\n[b]: /url", "a B b [c][d] x[0][1]"),
        ("a <!-- b --> c `<!-- d -->`", "a  c `<!-- d -->`"),
        ("a <!-- b\nc --> d", "a  d"),
        ("never <!-- closed", "never <!-- closed"),
        ("note[^1]\n\n[^1]: the note", "note[^1]\n\n[^1]: the note"),
        ("<details>\n<summary>More</summary>\n\n**text**\n\n</details>", "More\n\n**text**"),
        ("<script>\nvar a = 1 < 2;\n</script>\n<p>a &amp;\n b</p>", "a &\nb"),
        ("```\n```\n\ntext", "text"),
        ("a\n***\nb", "a\n\nb"),
        ("    ```\n    x\n    ```", "````\n```\nx\n```\n````"),
        ("> a\n> > b\nc", "a\nb\nc"),
    ],
)
def test_what_is_left_of_markup(text: str, clean: str) -> None:
    assert _text(text) == clean


def test_lines_that_end_as_on_windows() -> None:
    assert _parse("# A\r\n\r\n```\r\nx\r\n```\r\n").sections == _parse("# A\n\n```\nx\n```\n").sections


_PIECES = [
    *("[", "![", "](", "[a](b", '[a](b "', "[a]: ", "<!--", "<!-- -->", "<", "<a ", "<a b=", "</", "<div>\n"),
    *("`", "``", "~~~\n", "```\n", "*", "_a", "**a", "> ", "- ", "- \n", "1. ", "#", "# ", "a\n=", "| "),
    *(" ", "\t", "\n\n\n", "&", "\\"),
]


@pytest.mark.parametrize("piece", _PIECES)
def test_no_text_is_slow(piece: str) -> None:
    started = time.process_time()
    for text in (piece * 20_000, piece * 20_000 + "-->", "# " + piece * 20_000 + "x", f"{piece}\n" * 20_000):
        _parse(text + "\n[a]: /b\n")
    assert time.process_time() - started < 5
