"""`kill -9` in the middle of an ingestion, at many points: a rerun ends in the state of an undisturbed run."""

import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lorekeeper_runtime.stores.embedded import EmbeddedStore
from lorekeeper_runtime.stores.lock import HomeLock
from tests.support.ingest_child import SCHEMA, HashEmbedder, ingest_folder

KILLS = [1, 2, 3, 5, 8, 11, 14, 17, 20, 24]
"""Steps after which the process is killed."""


def write_folder(folder: Path, *, edited: bool = False) -> None:
    """Sixty documents; edited, a third is changed, some are gone and some are new."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in range(60):
        text = "\n\n".join(f"Paragraph {part} of document {number}, {'word ' * 20}" for part in range(number % 7 + 1))
        if edited and number % 3 == 0:
            text = f"A new beginning of {number}.\n\n{text}"
        if edited and number % 10 == 1:
            continue
        (folder / f"{number:02}.md").write_text(f"# Document {number}\n\n{text}\n")
    if edited:
        (folder / "late.md").write_text("# Late\n\nCame later.\n")


def kill_after(home: Path, folder: Path, lines: int) -> bool:
    """Run an ingestion and kill it after so many lines; return whether it was still running then."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.ingest_child", str(home), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        for count, line in enumerate(child.stdout, start=1):
            if line.startswith("finished"):
                return False
            if count == lines:
                break
    finally:
        child.kill()
        child.wait()
    return True


async def finish(home: Path, folder: Path) -> tuple[dict[str, Any], int]:
    """Ingest to the end; return everything that is stored, and how many texts had to be embedded."""
    with HomeLock(home) as lock:
        store = await EmbeddedStore.open(home, lock)
        try:
            embedder = HashEmbedder()
            report = await ingest_folder(store, folder, embedder)
            assert report.run.outcome == "Succeeded"
            query = (await HashEmbedder().embed_documents(["anything"]))[0]
            dense, _ = await store.search(
                SCHEMA.collection, fingerprint=SCHEMA.fingerprint, vector=query, text=None, limit=5000
            )
            records = {
                record.document: {**asdict(record), "version": ""}
                async for page in store.read_documents(SCHEMA.documents, "docs")
                for record in page
            }
            ids = [i async for page in store.list_chunk_ids(SCHEMA.collection, "docs") for i in page]
            points = {hit.id: (hit.payload, round(hit.dense or 0, 5)) for hit in dense}
            assert set(points) == set(ids)
            return {"points": points, "records": records}, embedder.embedded
        finally:
            await store.close()


@pytest.mark.slow
async def test_a_rerun_after_kill_9_ends_like_an_undisturbed_run(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    write_folder(folder)
    expected, all_texts = await finish(tmp_path / "undisturbed", folder)
    killed = 0
    for step in KILLS:
        home = tmp_path / f"home-{step}"
        killed += kill_after(home, folder, step)
        state, embedded = await finish(home, folder)
        assert state == expected, f"killed after step {step}"
        assert embedded <= all_texts
        shutil.rmtree(home)
    assert killed >= len(KILLS) - 2


@pytest.mark.slow
async def test_an_update_that_was_killed_is_finished_by_the_next_one(tmp_path: Path) -> None:
    folder, edited = tmp_path / "docs", tmp_path / "edited"
    write_folder(folder)
    write_folder(edited, edited=True)
    seed = tmp_path / "seed"
    await finish(seed, folder)
    write_folder(folder, edited=True)
    expected, _ = await finish(tmp_path / "undisturbed", folder)
    killed = 0
    for step in KILLS[:6]:
        home = tmp_path / f"home-{step}"
        shutil.copytree(seed, home, ignore=shutil.ignore_patterns("lock"))
        killed += kill_after(home, folder, step)
        state, _ = await finish(home, folder)
        assert state == expected, f"killed after step {step}"
        shutil.rmtree(home)
    assert killed >= 4
