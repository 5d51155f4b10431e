import time

import pytest

from lorekeeper_runtime.parsers import html
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
    assert "deepest" in _text(f"<{tag}>" * 3000 + "deepest")
    assert time.process_time() - started < 5
