"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("bench/*.md"), ROOT / "examples" / "README.md"]
)
SECRETIVE = re.compile(r"TODO|FIXME|XXX|issue [0-9]|/root/|/home/\w+/|localhost:\d{5}")
"""What no page may hold: loose ends, and traces of the machine it was written on."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """The text without code, in which brackets and parentheses are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text: str) -> set[str]:
    """Anchors of the headings, made the way that Git servers make them."""
    headings = re.findall(
        r"^#{1,6} (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8"))
        ):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z0-9-]+)", text)) | set(re.findall(r"^make ([a-z0-9-]+)", text, re.MULTILINE))
    assert sorted(named - targets) == []


def test_every_target_is_explained_by_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = {name for line in re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE) for name in line.split()}
    explained = set(re.findall(r"^([a-z0-9-]+):.*## \S", makefile, re.MULTILINE))
    assert phony == explained


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_has_loose_ends(page: Path) -> None:
    assert SECRETIVE.findall(page.read_text(encoding="utf-8")) == []


def test_the_index_of_decisions_names_each_one_with_its_title() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[(\d{4})\]\((\S+)\) \|", index, re.MULTILINE))
    pages = {page.name[:4]: page.name for page in folder.glob("[0-9]*.md")}
    assert rows == pages
    for number, name in pages.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {number}: "), name
        assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: ", text, re.MULTILINE), name
        for heading in ("Context", "Decision", "Alternatives", "Consequences"):
            assert f"## {heading}\n" in text, f"{name} lacks {heading}"


def test_every_example_has_a_line_in_the_index() -> None:
    index = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    folders = {folder.name for folder in (ROOT / "examples").iterdir() if folder.is_dir()}
    assert set(re.findall(r"^\| \[([a-z-]+)\]\(\1\) \|", index, re.MULTILINE)) == folders
