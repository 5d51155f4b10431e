import asyncio
from pathlib import Path
from typing import Any

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_cli.watch import WatchedPlace, find_watched, watch_places


def source(name: str, mount: Path | None = None, **spec: Any) -> SourceConfig:
    return SourceConfig(
        name=name, spec=KnowledgeSourceSpec.model_validate(spec), mount=str(mount) if mount is not None else None
    )


def test_only_what_lies_on_this_machine_is_watched(tmp_path: Path) -> None:
    docs, repository, bare = tmp_path / "docs", tmp_path / "a repository", tmp_path / "bare.git"
    (docs / "guide").mkdir(parents=True)
    (repository / ".git").mkdir(parents=True)
    bare.mkdir()
    manifest = tmp_path / "m.yaml"
    manifest.touch()

    places = find_watched(
        [
            source("volume", docs, volume={"claimName": "c", "path": "guide"}),
            source("suspended", docs, volume={"claimName": "c"}, suspend=True),
            source("git", git={"url": f"file://{tmp_path}/a%20repository"}),
            source("bare", git={"url": f"file://{bare}"}),
            source("remote", git={"url": "https://example.com/x.git"}),
            source("inline", inline={"documents": [{"path": "a.md", "text": "x"}]}),
        ],
        [manifest, tmp_path / "gone.yaml"],
    )

    assert [(place.path, place.source) for place in places] == [
        (manifest, None),
        (docs / "guide", "volume"),
        (repository / ".git", "git"),
        (bare, "bare"),
    ]


def test_a_repository_changes_with_its_references_only(tmp_path: Path) -> None:
    place = WatchedPlace(tmp_path, "git", ("HEAD", "refs", "packed-refs"))

    assert place.holds(tmp_path / "refs" / "heads" / "main")
    assert place.holds(tmp_path / "HEAD")
    assert not place.holds(tmp_path / "objects" / "ab" / "cd")
    assert not place.holds(tmp_path / "refs" / "heads" / "main.lock")
    assert not place.holds(tmp_path)
    assert not place.holds(tmp_path.parent / "other")


async def test_a_change_is_told_with_its_place(tmp_path: Path) -> None:
    docs, manifest = tmp_path / "docs", tmp_path / "m.yaml"
    docs.mkdir()
    manifest.write_text("a")
    folder, file = WatchedPlace(docs, "docs"), WatchedPlace(manifest, None)
    changes = watch_places([folder, file])

    async def next_after(path: Path, text: str) -> set[WatchedPlace]:
        waiting = asyncio.ensure_future(anext(changes))
        # The watch begins some time after it is asked for: change the file until it is seen.
        for turn in range(200):
            await asyncio.to_thread(path.write_text, f"{text}{turn}")
            done, _ = await asyncio.wait({waiting}, timeout=0.1)
            if done:
                return waiting.result()
        raise AssertionError("no change was told within 20 seconds")

    assert await next_after(docs / "a.md", "x") == {folder}
    (tmp_path / "unrelated").write_text("x")
    seen: set[WatchedPlace] = set()
    while file not in seen:  # late news of the first change may come before
        seen = await next_after(manifest, "b")
    assert seen <= {folder, file}
    await changes.aclose()
