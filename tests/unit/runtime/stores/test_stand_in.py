"""The stand-in for a Qdrant server as a process of its own, and the texts that the real server answers with."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.store_fixtures import quick_folder


@contextmanager
def server_process(folder: Path, key: str) -> Iterator[httpx.Client]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.qdrant_server", "--port", "0", "--path", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "QDRANT__SERVICE__API_KEY": key},
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with httpx.Client(base_url=url, headers={"api-key": key}) as http:
            yield http
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    finally:
        process.kill()
        process.communicate()


def test_it_answers_as_the_real_one_and_keeps_its_data(tmp_path: Path) -> None:
    with quick_folder(tmp_path) as folder:
        with server_process(folder, "secret") as http:
            vectors = {"d": {"size": 2, "distance": "Cosine"}}
            assert http.put("/collections/c", json={"vectors": vectors, "metadata": {"a": 1}}).json()["result"] is True
            point = {"id": 1, "vector": {"d": [3, 4]}, "payload": {"n": 5}}
            assert http.put("/collections/c/points?wait=true", json={"points": [point]}).status_code == 200
            actions = [{"create_alias": {"alias_name": "now", "collection_name": "c"}}]
            http.post("/collections/aliases", json={"actions": actions})
            _check_errors(http)
        with server_process(folder, "secret") as http:
            assert http.get("/collections/now").json()["result"]["config"]["metadata"] == {"a": 1}
            (found,) = http.post("/collections/c/points", json={"ids": [1], "with_vector": True}).json()["result"]
            assert found["payload"] == {"n": 5}
            assert found["vector"]["d"] == pytest.approx([0.6, 0.8])


def _check_errors(http: httpx.Client) -> None:
    def error(reply: httpx.Response) -> tuple[int, Any]:
        return reply.status_code, reply.json()["status"]["error"]

    missing = http.post("/collections/nope/points/query", json={"query": [1, 2]})
    assert error(missing) == (404, "Not found: Collection `nope` doesn't exist!")
    unknown = http.post("/collections/c/points/query", json={"query": [1, 2], "using": "e"})
    assert error(unknown) == (400, "Wrong input: Not existing vector name error: e")
    short = {"points": [{"id": 2, "vector": {"d": [1]}}]}
    assert error(http.put("/collections/c/points", json=short)) == (
        400,
        "Wrong input: Vector dimension error: expected dim: 2, got 1",
    )
    again = http.put("/collections/c", json={"vectors": {}})
    assert error(again) == (409, "Wrong input: Collection `c` already exists!")
    unheard = http.put("/collections/c/points/payload", json={"points": [77], "payload": {}})
    assert error(unheard) == (404, "Not found: No point with id 77")
    wrong = httpx.get(f"{http.base_url}/collections", headers={"api-key": "guess"})
    assert (wrong.status_code, wrong.text) == (401, "Invalid API key or JWT")
    none = httpx.get(f"{http.base_url}/collections")
    assert (none.status_code, none.text) == (401, "Must provide an API key or an Authorization bearer token")
    assert httpx.get(f"{http.base_url}/readyz").status_code == 200
