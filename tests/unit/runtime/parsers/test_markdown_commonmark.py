"""Headings and code at the top level are those of CommonMark: compared with markdown-it-py, block by block."""

import random

import pytest
from markdown_it import MarkdownIt

from lorekeeper_runtime.parsers import markdown
from lorekeeper_runtime.ports import RawDocument

Event = tuple[str, int, str]


def _theirs(text: str) -> list[Event]:
    events: list[Event] = []
    tokens = MarkdownIt("commonmark").parse(text)
    for place, token in enumerate(tokens):
        if token.level:
            continue
        if token.type == "heading_open":
            events.append(("heading", int(token.tag[1]), " ".join(tokens[place + 1].content.split())))
        elif token.type in {"fence", "code_block"} and token.content.strip():
            events.append(("code", 0, token.content.expandtabs(4).strip("\n")))
    return events


def _ours(text: str, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    events: list[Event] = []

    def open_heading(_: object, level: int, heading: str) -> None:
        events.append(("heading", level, " ".join(heading.split())))

    def add_code(_: object, code: list[str], mark: str, info: str) -> None:
        if "".join(code).strip():
            events.append(("code", 0, "\n".join(code).expandtabs(4).strip("\n")))

    with monkeypatch.context() as patch:
        patch.setattr(markdown._Scanner, "_open_heading", open_heading)
        patch.setattr(markdown._Scanner, "_add_code", add_code)
        markdown.parse(RawDocument("a.md", text.encode()))
    return events


SAMPLES = [
    "# one\n## two ##\n###\tthree\t###  \n#### \n####### seven\n#hashtag\n   # three spaces\n    # four\n",
    "\\# not a heading\n\n# foo \\#\n\n# foo#\n\n### foo ### b\n\n#\n\n## #\n",
    "a\n===\n\nb\n---\n\n c\n   ==\n\nd\n    ---\n\ne\n= =\n\nf\n--- -\n",
    "two\nlines\n===\n\n===\n\ntext\n\n---\n\n- a\n---\n\n> b\n---\n\n> c\n===\n",
    "```\n# no heading\n```\n\n~~~ py\n```\n# none\n~~~\n\n````\n```\n````\n# yes\n",
    "```\nnever closed\n# none\n\n\n# none",
    "``` a`b\n# heading\n```\n# code\n",
    "   ```\n   code\n  less\n    more\n   ```\n# h\n",
    "```\ncode\n    ```\n# still code\n```\n# heading\n",
    "text\n    # continuation\n\n    # code\n\n    more\n\n\ntext\n",
    "# h\n    code\nh2\n--\n    code\n---\n    code\n",
    "\tcode\n \tcode too\n  \t\tmore\n",
    "- # in a list\n- a\n\n      code in a list\n\n  # in a list\n\n# heading\n",
    "1. a\n   # no\n2. b\n\n   ```\n   # no\n   ```\n# heading\n",
    "10. a\n\n    # in the item\n\n    ```\n    # code\n    ```\n\n   # not in the item\n",
    "- a\nlazy\n# heading\n- b\n    # lazy too\n```\n# code\n```\n",
    "- a\n\n b\n\n    code\n",
    "-\n\n  # heading\n\n-\n  # in the item\n",
    "text\n-\n\ntext\n* \n\ntext\n2. no list\n---\n",
    "text\n1. list\n---\ntext\n- list\n\n      code in it\n",
    "> # quote\n> ```\n> # code\n# heading\n> a\nlazy\n===\n\n>     code\n    code?\n",
    "> ```\n# heading\n\n> - a\n> b\n    # lazy\n",
    "<div>\n# raw\n\n# heading\n</div>\n\n<script>\n\n# raw\n</script>\n# heading\n",
    "<!-- a\n\n# hidden\n\n--> text\n# heading\n\n<!-- b --> # hidden\n# heading\n",
    "<?php\n\n# raw\n?>\n# heading\n<!DOCTYPE x>\n# heading\n<![CDATA[\n\n# raw\n]]>\n# heading\n",
    "text\n<span>\n# heading\n\n<span class='a'>\n# raw\n\n<br/>x\n# heading\n",
    "<pre>\n\n# raw\n\n</pre>\n# heading\n<STYLE>\n# raw\n</STYLE> x\n# heading\n",
    "*** \n- - -\n___\n# heading\n_ _ _ a\n---\n",
    "[a]: /url\n[b]: <url> 'title'\n# heading\ntext\n[c]: /url\n---\n",
    "* a\n  * b\n\n    ```\n    # code\n    ```\n\n  # in a\n\n# heading\n",
    "+ a\n\n  > quote\n\n+     code\n\n# heading\n",
    "1) a\n1. b\n- c\n# heading\n",
    "| a | b |\n|---|---|\n| # | - |\n\n# heading\n",
    "a  \n# heading\nb\\\n===\n",
]


@pytest.mark.parametrize("text", SAMPLES)
def test_samples(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ours(text, monkeypatch) == _theirs(text)


_LINES = [
    *("text", "more text here", "", "", "", "# one", "## two ##", "   ### three", "#none", "===", "---", "--", "***"),
    *("```", "```py", "~~~", "````", "    indented", "      deeper", "\ttab", "   three", "- item", "* item", "+ item"),
    *(
        "1. one",
        "2. two",
        "10) ten",
        "-",
        "  inner",
        "    - nested",
        "- # heading",
        "- - twice",
        "  # inner",
        "   # inner",
    ),
    *(
        "> quote",
        "> # heading",
        ">",
        "> - item",
        "> ```",
        "<div>",
        "</div>",
        "<!-- c -->",
        "<!--",
        "-->",
        "<b>",
        "<pre>",
    ),
    *(
        "</pre>",
        "| a | b |",
        "    # four",
        "  ```",
        "    ```",
        "*emphasis*",
        "`code`",
        "[link](/url)",
        "1986\\. A year",
    ),
]


def test_generated_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(11)
    wrong: list[str] = []
    for _ in range(4000):
        text = "\n".join(chance.choices(_LINES, k=chance.randint(2, 9))) + "\n"
        if _ours(text, monkeypatch) != _theirs(text):
            wrong.append(text)
    assert not wrong, f"{len(wrong)} differ, the shortest:\n{min(wrong, key=len)}"
