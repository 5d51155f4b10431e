import random
import time
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.parsers.detect import ENDINGS
from lorekeeper_runtime.sources.globs import SUPPORTED_ENDINGS, PathFilter, compile_globs


def _takes(glob: str, path: str) -> bool:
    return PathFilter([glob], None).takes(path)


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.md", ["a.md", "ü.md", "UP.MD"], ["a/b.md", "a.mdx", ".md", ".a.md"]),
        ("Docs/*.PDF", ["Docs/a.pdf", "Docs/a.Pdf"], ["docs/a.pdf", "Docs/a_pdf"]),
        ("A*.{md,txt}", ["Ab.MD", "A.Txt"], ["ab.md"]),
        (".env", [".env"], [".ENV"]),
        ("**/*.d/**", ["a.d/x"], ["a.D/x"]),
        ("**/*.md", ["a.md", "a/b.md", "a/b/c/d.md"], ["a.txt", ".a/b.md", "a/.b/c.md", "a/.b.md"]),
        ("docs/**", ["docs/a", "docs/a/b"], ["docs", "adocs/a", "x/docs/a", "docs/.a"]),
        ("docs/", ["docs/a", "docs/a/b"], ["docs", "other/a"]),
        ("./docs/*.md", ["docs/a.md"], ["docs/a/b.md"]),
        ("/docs/*.md", ["docs/a.md"], ["x/docs/a.md"]),
        ("a/**/b/*.md", ["a/b/x.md", "a/c/b/x.md", "a/c/d/b/x.md", "a/b/b/x.md"], ["a/x.md", "a/b/c/x.md"]),
        ("**/b/**/d/*", ["b/d/x", "a/b/c/d/x", "b/b/d/d/x"], ["b/x", "d/b/x", "b/d"]),
        ("**", ["a", "a/b"], [".a", "a/.b"]),
        ("?.md", ["a.md", "ü.md"], ["ab.md", ".md", "/.md"]),
        ("[abc].md", ["a.md"], ["d.md", "ab.md"]),
        ("[a-c0-9].md", ["b.md", "5.md"], ["d.md", "-.md"]),
        ("[!a-c].md", ["d.md"], ["a.md", "/.md"]),
        ("[]x].md", ["].md", "x.md"], ["[.md"]),
        ("[a.md", ["[a.md"], ["a.md"]),
        ("a[.md", ["a[.md"], ["a.md"]),
        ("*.{md,txt}", ["a.md", "a.txt"], ["a.{md,txt}", "a.rst"]),
        ("{a,b/**}/{c,d}.md", ["a/c.md", "b/x/d.md", "b/d.md"], ["a/x/c.md", "c.md"]),
        ("{a,{b,c}}.md", ["a.md", "b.md", "c.md"], ["d.md"]),
        ("{a}.md", ["{a}.md"], ["a.md"]),
        ("{a,b.md", ["{a,b.md"], ["a.md"]),
        ("a+(b).md", ["a+(b).md"], ["aab.md"]),
        (".github/**", [".github/a.md", ".github/b/c.md"], ["github/a.md", ".github/.x"]),
        (".*/*.md", [".a/b.md"], ["a/b.md"]),
        ("*a*b*c", ["abc", "xaxbxc", "aabbcc"], ["acb", "ab", "abcd"]),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
    ],
)
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes if not _takes(glob, path)] == []
    assert [path for path in no if _takes(glob, path)] == []


def test_default_is_every_supported_ending_in_any_case() -> None:
    paths = PathFilter(None, None)
    for ending in SUPPORTED_ENDINGS:
        assert paths.takes(f"deep/A.{ending.upper()}")
    for path in ("a.py", "README", "a.md.bak", ".hidden.md", ".hidden/a.md", "a/.b/c.md", "md"):
        assert not paths.takes(path)


def test_the_default_endings_are_those_that_the_parsers_know() -> None:
    assert frozenset(ENDINGS) == SUPPORTED_ENDINGS


def test_the_example_of_a_folder_takes_every_kind_of_document() -> None:
    example = Path(__file__).resolve().parents[4] / "examples" / "folder" / "pipeline.yaml"
    spec = next(yaml.safe_load_all(example.read_text(encoding="utf-8")))["spec"]["volume"]
    paths = PathFilter(spec.get("include"), spec.get("exclude"))
    for path in ("UP.MD", "page.htm", "a/b.markdown", "a.mdx", "a.TXT", "a.pdf", "a.docx"):
        assert paths.takes(path)
    assert not paths.takes("a/drafts/b.md")


def test_exclusion_wins_and_folders_need_not_be_entered() -> None:
    paths = PathFilter(["**/*.md"], ["drafts/**", "**/old/**", "**/x.md"])
    assert paths.takes("a/b.md")
    for path in ("drafts/a.md", "drafts/b/c.md", "a/old/b.md", "x.md", "a/x.md"):
        assert not paths.takes(path)
    assert paths.enters("a")
    assert paths.enters("a/drafts")
    for folder in ("drafts", "old", "a/old", ".git", "a/.cache"):
        assert not paths.enters(folder)
    assert PathFilter([".github/**"], None).enters(".github")
    assert not PathFilter([".github/**"], None).enters(".git")


def test_random_globs_agree_with_the_standard_library_within_a_name() -> None:
    chance = random.Random(3)
    for _ in range(3000):
        glob = "".join(chance.choices("ab*?[]!-", k=chance.randint(1, 8)))
        name = "".join(chance.choices("ab]-", k=chance.randint(1, 8)))
        if "[!]" in glob or "**" in glob:
            continue  # read differently on purpose
        pattern = compile_globs([glob], hidden=False)
        assert bool(pattern.match(name)) == fnmatchcase(name, glob), (glob, name)


def test_no_glob_is_slow() -> None:
    path = "/".join(["a" * 200] * 20)
    globs = ["*a" * 60 + "b", "**/a*/" * 20 + "b", "**/*a*a*a*/" * 10 + "**/*b", "{a,b}" * 9 + "**/*", "?*" * 60 + "b"]
    started = time.process_time()
    assert not compile_globs(globs, hidden=True).match(path)
    assert time.process_time() - started < 2


def test_too_many_choices_are_refused() -> None:
    with pytest.raises(SourceError) as caught:
        PathFilter(["{a,b}" * 30], None)
    assert caught.value.code == "InvalidSource"
    assert "fewer choices" in caught.value.message
