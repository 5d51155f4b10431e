"""What `--watch` looks at: folders and local Git references of the sources, and the manifests' ConfigMaps."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lorekeeper_api.contract.config import SourceConfig

__all__ = ["WatchedPlace", "find_watched", "watch_places"]

DEBOUNCE_MILLISECONDS = 800
"""Changes within this time are one: an editor saves a file in several steps."""
_GIT_PLACES = ("HEAD", "refs", "packed-refs")


@dataclass(frozen=True, slots=True)
class WatchedPlace:
    """A folder or file and what changes with it."""

    path: Path
    source: str | None
    """Source that is synced; None for a manifest."""
    only: tuple[str, ...] = ()
    """Names directly below the path that count; all when empty."""

    def holds(self, changed: Path) -> bool:
        """Whether a change at a path is one of this place."""
        if changed != self.path and self.path not in changed.parents:
            return False
        if not self.only:
            return True
        below = changed.relative_to(self.path).parts
        return bool(below) and below[0] in self.only and not changed.name.endswith(".lock")


def find_watched(sources: Iterable[SourceConfig], manifests: Iterable[Path]) -> list[WatchedPlace]:
    """Return what can be watched: remote sources cannot, and suspended ones are not."""
    places = [WatchedPlace(path.resolve(), None) for path in manifests]
    for source in sources:
        spec = source.spec
        if spec.suspend:
            continue
        if spec.volume is not None and source.mount is not None:
            folder = Path(source.mount) / (spec.volume.path or "")
            places.append(WatchedPlace(folder.resolve(), source.name))
        elif spec.git is not None and (repository := local_repository(spec.git.url)) is not None:
            folder = repository / ".git" if (repository / ".git").is_dir() else repository
            places.append(WatchedPlace(folder.resolve(), source.name, _GIT_PLACES))
    return [place for place in places if place.path.exists()]


def local_repository(url: str) -> Path | None:
    """Folder of a repository on this machine; None for a remote one."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


async def watch_places(places: list[WatchedPlace]) -> AsyncGenerator[set[WatchedPlace]]:
    """Yield the places that changed, each time some did. Close it to stop watching."""
    deep, shallow = _find_roots(places)
    news: asyncio.Queue[set[WatchedPlace]] = asyncio.Queue()
    tasks = [
        asyncio.create_task(_watch_roots(roots, places, news, deep=recursive))
        for roots, recursive in ((deep, True), (shallow, False))
        if roots
    ]
    try:
        while tasks:
            waiting = asyncio.create_task(news.get())
            try:
                done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not waiting.done():
                    waiting.cancel()
            for task in done - {waiting}:
                await task  # a watch ends by an error only, and nobody would hear of it
            yield waiting.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _find_roots(places: list[WatchedPlace]) -> tuple[set[Path], set[Path]]:
    """What is watched with all its subfolders, and what without: a manifest may lie in a folder with a lot in it."""
    deep, shallow = set(), set()
    for place in places:
        if place.only:
            shallow.add(place.path)
            deep |= {folder for name in place.only if (folder := place.path / name).is_dir()}
        elif place.path.is_dir():
            deep.add(place.path)
        else:
            # A file is watched by its folder: editors replace files, and a watch on the old one hears nothing more.
            shallow.add(place.path.parent)
    return deep, shallow


async def _watch_roots(
    roots: set[Path], places: list[WatchedPlace], news: asyncio.Queue[set[WatchedPlace]], *, deep: bool
) -> None:
    from watchfiles import awatch

    def matters(_change: object, path: str) -> bool:
        return any(place.holds(Path(path)) for place in places)

    watch = awatch(*roots, watch_filter=matters, debounce=DEBOUNCE_MILLISECONDS, step=100, recursive=deep)
    async for changes in watch:
        paths = [Path(path) for _, path in changes]
        news.put_nowait({place for place in places if any(place.holds(path) for path in paths)})
