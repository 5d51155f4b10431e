from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.http import HttpClient
from lorekeeper_runtime.ports import StoreCounts
from lorekeeper_runtime.stores.qdrant import QdrantStore
from tests.contract.store_fixtures import KEY, make_chunk, make_qdrant_store, make_record, make_schema, quick_folder
from tests.support.qdrant_server.running import running_server


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


@pytest.mark.parametrize("key", ["wrong", None])
async def test_a_wrong_key_is_named(folder: Path, key: str | None) -> None:
    with running_server(folder / "server", api_key=KEY) as url:
        store = make_qdrant_store(url, folder, key)
        with pytest.raises(StoreError) as raised:
            await store.list_collections()
        assert (raised.value.code, raised.value.retryable) == ("StoreUnauthorized", False)
        await store.close()


async def test_a_rotated_key_is_used(folder: Path) -> None:
    with running_server(folder / "server", api_key="the new key") as url:
        store = make_qdrant_store(url, folder, KEY)
        with pytest.raises(StoreError):
            await store.list_collections()
        (folder / "api-key").write_text("the new key")
        assert await store.list_collections() == []
        await store.close()


async def test_nobody_there(folder: Path) -> None:
    with running_server(folder / "server") as url:
        pass
    store = make_qdrant_store(url, folder, None)
    with pytest.raises(StoreError) as raised:
        await store.list_collections()
    assert (raised.value.code, raised.value.retryable) == ("StoreUnreachable", True)
    await store.close()


async def test_something_else_there(folder: Path) -> None:
    with running_server(folder / "server") as url:
        store = QdrantStore(HttpClient(f"{url}/healthz?"))  # answers 200 with text
        with pytest.raises(StoreError, match="is not Qdrant"):
            await store.list_collections()
        await store.close()


async def test_large_writes_travel_in_parts(folder: Path) -> None:
    schema = make_schema()
    chunks = [make_chunk(f"{number} " + "word " * 400) for number in range(40)]
    with running_server(folder / "server", body_limit=20_000) as url:
        store = make_qdrant_store(url, folder, None, body_bytes=16_000)
        await store.ensure_collections(schema)
        await store.upsert_chunks(schema, chunks)
        await store.set_payloads(schema.collection, [(chunk.id, chunk.payload) for chunk in chunks])
        await store.write_documents(schema.documents, [make_record(f"{number}.md") for number in range(200)])
        assert await store.count(schema.collection, schema.documents) == StoreCounts(40, {"Indexed": 200})
        await store.close()
        careless = make_qdrant_store(url, folder, None)
        with pytest.raises(StoreError) as raised:
            await careless.upsert_chunks(schema, chunks)
        assert raised.value.code == "StoreRequestTooLarge"
        await careless.close()


async def test_indexes_that_a_killed_process_left_out_are_made(folder: Path) -> None:
    schema = make_schema()
    with running_server(folder / "server") as url:
        store = make_qdrant_store(url, folder, None)
        await store.ensure_collections(schema)
        async with httpx.AsyncClient(base_url=url) as http:
            await http.delete(f"/collections/{schema.collection}/index/hash")
            await store.ensure_collections(schema)
            described = (await http.get(f"/collections/{schema.collection}")).json()["result"]
        assert set(described["payload_schema"]) == {"source", "document", "hash"}
        await store.close()


async def test_a_collection_of_someone_else_is_refused(folder: Path) -> None:
    schema = make_schema()
    with running_server(folder / "server") as url:
        store = make_qdrant_store(url, folder, None)
        async with httpx.AsyncClient(base_url=url) as http:
            await http.put(f"/collections/{schema.collection}", json={"vectors": {"size": 4, "distance": "Dot"}})
            actions = [{"create_alias": {"alias_name": "theirs", "collection_name": schema.collection}}]
            await http.post("/collections/aliases", json={"actions": actions})
        for attempt in (store.ensure_collections(schema), store.read_alias("theirs")):
            with pytest.raises(StoreError) as raised:
                await attempt
            assert raised.value.code == "SchemaMismatch"
        await store.close()
