"""The embedded store under `kill -9`: what was acknowledged is there, and what is there is whole."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lorekeeper_api.contract.collection import Payload
from lorekeeper_runtime.ports import ActiveCollection
from lorekeeper_runtime.stores.embedded import EmbeddedStore
from lorekeeper_runtime.stores.lock import HomeLock, StoreLockedError, read_holder
from tests.contract.store_fixtures import quick_folder
from tests.support.store_child import ALIAS, SCHEMA, make_document

KILLS = 15
ENGINE_STARTS = [0.0, 0.15, 0.4]
"""Seconds until a kill that is meant to meet the making of the collections."""


@contextmanager
def writing_child(home: Path, seed: int) -> Iterator["subprocess.Popen[str]"]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.store_child", str(home), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def read_lines(child: "subprocess.Popen[str]", count: int) -> list[str]:
    assert child.stdout is not None
    lines = []
    for line in child.stdout:
        lines.append(line.strip())
        if len(lines) == count:
            return lines
    pytest.fail(f"the child ended by itself: {child.communicate()[1]}")


async def check_whole(home: Path, acknowledged: dict[str, int]) -> None:
    with HomeLock(home) as lock:
        store = await EmbeddedStore.open(home, lock)
        try:
            assert await store.read_alias(ALIAS) == ActiveCollection(SCHEMA.collection, SCHEMA.fingerprint)
            records = [record async for page in store.read_documents(SCHEMA.documents, "docs") for record in page]
            ids = {point async for page in store.list_chunk_ids(SCHEMA.collection, "docs") for point in page}
            versions = {record.document: int(record.version) for record in records}
            lost = {name: seed for name, seed in acknowledged.items() if versions.get(name, -1) < seed}
            assert not lost
            for record in records:
                expected, chunks = make_document(record.document, int(record.version))
                assert record == expected
                assert {chunk.id for chunk in chunks} <= ids
                vectors = await store.find_vectors(SCHEMA, [str(chunk.payload[Payload.HASH]) for chunk in chunks])
                assert len(vectors) == len(chunks)
                dense, sparse = await store.search(
                    ALIAS,
                    fingerprint=SCHEMA.fingerprint,
                    vector=chunks[0].vector,
                    text=str(chunks[0].payload[Payload.TEXT]),
                    limit=3,
                )
                assert dense[0].id == chunks[0].id
                assert sparse
        finally:
            await store.close()


async def test_no_acknowledged_document_is_lost(tmp_path: Path) -> None:
    acknowledged: dict[str, int] = {}
    numbers = random.Random(20260102)
    with quick_folder(tmp_path) as home:
        for seed in range(KILLS):
            with writing_child(home, seed) as child:
                for line in read_lines(child, 1 + numbers.randrange(120))[1:]:
                    name, version = line.split()
                    acknowledged[name] = int(version)
                child.kill()
                rest, _ = child.communicate()
                for line in rest.splitlines():
                    name, version = line.split()
                    acknowledged[name] = int(version)
            if seed % 3 == 2:
                await check_whole(home, acknowledged)
    assert len(acknowledged) > 30


async def test_a_kill_while_collections_are_made_leaves_a_folder_that_opens(tmp_path: Path) -> None:
    with quick_folder(tmp_path) as home:
        for number, seconds in enumerate(ENGINE_STARTS):
            place = home / str(number)
            with writing_child(place, 0) as child:
                try:
                    child.wait(seconds)
                except subprocess.TimeoutExpired:
                    child.kill()
            with writing_child(place, 1) as child:
                acknowledged = {line.split()[0]: 1 for line in read_lines(child, 6)[1:]}
            await check_whole(place, acknowledged)


async def test_a_second_process_is_refused_and_the_first_goes_on_unharmed(tmp_path: Path) -> None:
    with quick_folder(tmp_path) as home:
        with writing_child(home, 0) as first:
            acknowledged = {line.split()[0]: 0 for line in read_lines(first, 20)[1:]}
            with writing_child(home, 1) as second:
                _, said = second.communicate(timeout=60)
                assert second.returncode == 1
                assert "StoreLockedError" in said
            with pytest.raises(StoreLockedError) as raised:
                HomeLock(home).acquire()
            assert raised.value.holder.pid == first.pid
            holder = read_holder(home)
            assert holder is not None
            assert holder.command.startswith("store_child.py")
            # Past five thousand points the first one flushes: that is what a second engine would have broken.
            acknowledged |= {line.split()[0]: 0 for line in read_lines(first, 2500)}
            assert first.poll() is None
        await check_whole(home, acknowledged)
