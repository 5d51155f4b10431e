import random
import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.parsers import html, html_nesting
from lorekeeper_runtime.ports import ParsedDocument, RawDocument, Section


def _parse(page: str | bytes) -> ParsedDocument:
    return html.parse(RawDocument("folder/page.html", page if isinstance(page, bytes) else page.encode()))


def _text(page: str) -> str:
    return "\n\n".join(section.text for section in _parse(page).sections)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<main><p>in</p></main><p>out</p>", "in"),
        ("<div role=main><p>in</p></div><p>out</p>", "in"),
        ("<article><header><h1>T</h1></header><p>in</p></article><p>out</p>", "in"),
        ("<article><p>a</p></article><article><p>b</p></article>", "a\n\nb"),
        ("<main></main><p>out</p>", "out"),
        ("<header>h</header><nav>n</nav><aside>a</aside><p>in</p><footer>f</footer>", "in"),
        ("<form><h2>H</h2><p>in</p></form><form><input><label>Search</label></form>", "in"),
        ("<p hidden>h</p><p aria-hidden=true>i</p><template><p>t</p></template><p>in</p>", "in"),
    ],
)
def test_only_the_main_content_is_kept(page: str, text: str) -> None:
    assert _text(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("text <b>with</b><i>out</i> a block", "text without a block"),
        ("a<br>b<br/>c", "a b c"),
        ("<div>a<p>b</p>c<div>d</div></div>", "a\n\nb\n\nc\n\nd"),
        ("<a href=x><div>card</div><div>text</div></a>", "card text"),
        ("<pre>  a\n\n    b  \n</pre>", "```\n  a\n\n    b\n```"),
        ("<pre>a ``` b</pre>", "````\na ``` b\n````"),
        ('<pre><code class="language-rust hljs">fn</code></pre>', "```rust\nfn\n```"),
        ("<ul><li>a</li><li><p>b</p><pre>c\nd</pre></li></ul>", "- a\n- b\n  ```\n  c\n  d\n  ```"),
        ("<ul><li>a<ul><li>b</li></ul></li><ul><li>c</li></ul></ul>", "- a\n  - b\n  - c"),
        ("<dl><dt>a</dt><dt>b</dt><dd>c</dd><dt>d</dt></dl><p>e</p>", "a\nb\nc\n\nd\n\ne"),
        ("<blockquote><p>a</p></blockquote><hr><p>b</p>", "a\n\nb"),
        ("<table><tr><td><pre>1</pre></td><td><pre>code</pre></td></tr></table>", "```\n1\n```\n\n```\ncode\n```"),
        ("<table><tr><td>a<p>b</p></td><td></td></tr><tr><td></td></tr></table>", "| a b |  |"),
        ("&lt;b&gt; &amp; &eacute;&#8212;&nbsp;x", "<b> & é— x"),
    ],
)
def test_blocks(page: str, text: str) -> None:
    assert _text(page) == text


def test_headings_nest_even_inside_other_elements() -> None:
    page = (
        "<h1>A</h1><div><h2>B <a class=headerlink>¶</a></h2><section><h4>C</h4><p>c</p></section></div><h2>D</h2><p>d"
    )
    assert _parse(page).sections == [Section("c", ("A", "B", "C")), Section("d", ("A", "D"))]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title>T</title><h1>H</h1><p>x", "H"),
        ("<title> T &amp;\n U </title><p>x", "T & U"),
        ("<p>x", "page"),
    ],
)
def test_titles(page: str, title: str) -> None:
    assert _parse(page).title == title


@pytest.mark.parametrize(
    "page",
    [
        '<meta charset="windows-1252"><p>\u20ac</p>'.encode("cp1252"),
        "<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-1'><p>\u20ac</p>".encode("cp1252"),
        '<?xml version="1.0" encoding="utf-16"?><p>\u20ac</p>'.encode("utf-16"),
        "<meta charset=nonsense><p>\u20ac</p>".encode(),
        "<p>\u20ac</p>".encode(),
    ],
)
def test_encodings(page: bytes) -> None:
    assert _parse(page).sections == [Section("\u20ac")]


@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "blockquote", "table><tr><td", "dl><dd", "section"])
def test_deep_pages_are_neither_slow_nor_an_error(tag: str) -> None:
    started = time.process_time()
    assert "deepest" in _text(f"<{tag}>" * 450 + "deepest")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 200_000 + "x",
        "<!-- --><div><!-- </div> -->" * 30_000,
        "<div></span>" * 80_000,
        "<div><table></div>" * 50_000,
        "<div><b></div></b><div>" * 40_000,
        "<b><div></b>" * 80_000,
        "<span><div></span>" * 50_000,
        "<form><div></form>" * 50_000,
        "<div><select></div>" * 50_000,
        "<ul><li>a" * 100_000,
        "<table><tr><td>" * 60_000,
        "<svg>" + "<option>" * 120_000,
        "".join(f"<p><font color={number}>a</p>" for number in range(40_000)),
        "<table>" + "<tr><td></td><b>" * 60_000,
    ],
)
def test_a_page_that_would_take_a_parser_minutes_is_refused_at_once(page: str) -> None:
    started = time.process_time()
    with pytest.raises(
        DocumentError, match=r"more than 1000 elements open inside each other: close its tags"
    ) as caught:
        _parse(page)
    assert caught.value.code == "TooDeep"
    assert not caught.value.retryable
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "page",
    [
        "<ul>" + "<li>a" * 50_000,
        "<p>a" * 50_000,
        "<br><img src=a><hr/>" * 30_000 + "a",
        "<table>" + "<tr><td>a<td><b>b" * 50_000,
        "<table>" + "<tr><td><p>a</td></tr>" * 50_000,
        "<div><p>a<span>b</div>" * 30_000,
        "<div><b><i>a</b></i></div>" * 30_000,
        "<p><a name=x>a" * 30_000,
        "<script>" + "'<div>'" * 50_000 + "</script><style><b></style>a",
        "<!--" + "<div>" * 50_000 + "-->a",
        "<svg>" + "<path d=x /><g></g>" * 30_000 + "</svg>a",
        "<p title='" + "a " * 50_000 + "'>a",
        "<pre>a" + "`" * 900_000,
        "a" * 900_000,
        "a" + "<" * 900_000,
    ],
)
def test_large_and_sloppy_pages_are_taken(page: str) -> None:
    started = time.process_time()
    assert "a" in _text(page)
    assert time.process_time() - started < 5


def test_a_tag_with_thousands_of_attributes_is_refused() -> None:
    page = "<p " + " ".join(f"a{number}" for number in range(100_000)) + ">x"
    with pytest.raises(DocumentError, match="attributes in one tag") as caught:
        _parse(page)
    assert caught.value.code == "ParseFailed"


def test_no_page_is_deeper_than_it_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    names = ["div", "p", "b", "a", "span", "table", "tr", "td", "ul", "li", "form", "h1", "h2", "svg", "select", "font"]
    for limit in (6, 12):
        monkeypatch.setattr(html_nesting, "MAX_OPEN", limit)
        for _ in range(1500):
            page = "".join(f"<{chance.choice(['', '', '/'])}{chance.choice(names)}>x" for _ in range(60))
            try:
                html_nesting.refuse_deep(page)
            except DocumentError:
                continue
            # Elements of a kind that are not counted stand between those that are: at most html, body, tbody, tr, p.
            assert _depth(page) <= 4 * limit + 5, page


def _depth(page: str) -> int:
    body = LexborHTMLParser(page).body
    assert body is not None
    deepest = 0
    for node in body.traverse():
        above, parent = 0, node.parent
        while parent is not None:
            above, parent = above + 1, parent.parent
        deepest = max(deepest, above)
    return deepest
