"""A process that dies at any write leaves a state that the next sync finishes, like that of an undisturbed run."""

import random
from collections.abc import Callable

import pytest

from lorekeeper_api.contract.records import DocumentState
from tests.support.dictionary_store import DictionaryStore
from tests.unit.runtime.ingest.world import (
    Crash,
    HashEmbedder,
    WatchedStore,
    World,
    fresh_state,
    source_config,
    state,
    sync,
)

BEFORE = {
    "same.md": "S\nsame one\n\nsame two",
    "grows.md": "G\none\n\ntwo",
    "moves.md": "M\na\n\nb\n\nc\n\nb",
    "shrinks.md": "H\nx\n\ny\n\nz",
    "breaks.md": "B\nwas fine",
    "empties.md": "E\nwas full",
    "goes.md": "O\ngone one\n\ngone two",
    "renamed.md": "R\nkept text",
}
AFTER = {
    "same.md": "S\nsame one\n\nsame two",
    "grows.md": "G\none\n\ntwo\n\nthree",
    "moves.md": "M\nnew\n\nb\n\na\n\nb\n\nc",
    "shrinks.md": "H\ny",
    "breaks.md": "B\nBROKEN",
    "empties.md": "E\n",
    "renamed-to.md": "R\nkept text",
    "new.md": "N\nb\n\nfresh",
}


async def crash(store: DictionaryStore, world: World, at: int, *, after: bool) -> bool:
    """Sync and die at a write; return whether that write was reached."""
    watched = WatchedStore(store, crash_at=at, after=after)
    try:
        await sync(world, watched)
    except Crash:
        return True
    return False


async def seeded() -> DictionaryStore:
    store = DictionaryStore()
    await sync(World(dict(BEFORE)), store)
    return store


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "then",
    [AFTER, BEFORE, {**AFTER, "moves.md": "M\nc\n\nb", "new.md": "N\nother", "late.md": "L\nlate"}],
    ids=["rerun", "reverted", "changed meanwhile"],
)
async def test_a_crash_at_every_write_is_finished_by_the_next_sync(then: dict[str, str], after: bool) -> None:
    points = 0
    while True:
        store = await seeded()
        if not await crash(store, World(dict(AFTER)), points, after=after):
            break
        world = World(dict(then))
        report = await sync(world, store)
        assert report.run.outcome == "Succeeded"
        assert state(store) == await fresh_state(world), f"killed at write {points}"
        embedder = HashEmbedder()
        again = WatchedStore(store)
        await sync(world, again, embedder)
        assert embedder.texts == []
        assert again.writes == ["ensure_collections", "write_run"]
        points += 1
    assert points > 12


async def test_what_was_committed_before_a_crash_is_not_embedded_again() -> None:
    documents = {f"{n:02}.md": f"{n}\ntext {n}" for n in range(40)}
    store = DictionaryStore()
    assert await crash(store, World(documents), 12, after=True)
    committed = sum(r.state is DocumentState.INDEXED for r in store.documents["ns.p.00000001.documents"].values())
    assert 0 < committed < 40
    embedder = HashEmbedder()
    await sync(World(documents), store, embedder)
    assert len(embedder.texts) <= 40 - committed


def _edit(world: World, rng: random.Random) -> None:
    names = sorted(world.documents)
    paragraphs = [f"p{rng.randrange(12)}" for _ in range(rng.randrange(6))]
    text = "T\n" + "\n\n".join([*paragraphs, *(["BROKEN"] if rng.random() < 0.1 else [])])

    def write(name: str, content: str) -> None:
        world.documents[name] = content
        world.versions.pop(name, None)

    edits: list[Callable[[], object]] = [lambda: write(f"d{rng.randrange(30)}.md", text)]
    if names:
        edits += [
            lambda: world.documents.pop(rng.choice(names)),
            lambda: write(f"r{rng.randrange(30)}.md", world.documents.pop(rng.choice(names))),
            lambda: world.versions.__setitem__(rng.choice(names), f"touched {rng.random()}"),
        ]
    rng.choice(edits)()


@pytest.mark.parametrize("seed", range(150))
async def test_random_lives_end_like_a_fresh_ingest(seed: int) -> None:
    rng = random.Random(seed)
    store, world = DictionaryStore(), World()
    for _ in range(12):
        for _ in range(rng.randrange(1, 6)):
            _edit(world, rng)
        if rng.random() < 0.5:
            await crash(store, world, rng.randrange(10), after=rng.random() < 0.5)
        if rng.random() < 0.2:
            world.listing_fails_after = rng.randrange(len(world.documents) + 1)
            await sync(world, store, config=source_config())
            world.listing_fails_after = None
        report = await sync(world, store, confirm=True)
        assert report.run.outcome == "Succeeded"
        assert state(store) == await fresh_state(world)
