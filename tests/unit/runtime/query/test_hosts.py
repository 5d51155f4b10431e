"""A service on the loopback address answers to the names of this machine, and to no web page's."""

import httpx
import pytest

from lorekeeper_runtime.query.app import create_app
from lorekeeper_runtime.query.hosts import LOOPBACK_HOSTS
from tests.unit.runtime.query.parts import make_pipeline

OURS = ["127.0.0.1", "127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "[::1]"]
STRANGERS = ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:8080", ""]


async def status(host: str, hosts: frozenset[str] | None) -> tuple[int, str | None]:
    app = create_app({"support": make_pipeline().pipeline}, version="1", hosts=hosts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        reply = await client.post("/v1/retrieve", json={"question": "which port"}, headers={"Host": host})
        return reply.status_code, reply.json().get("error", {}).get("code")


@pytest.mark.parametrize("host", OURS)
async def test_our_names_are_answered(host: str):
    assert await status(host, LOOPBACK_HOSTS) == (200, None)


@pytest.mark.parametrize("host", STRANGERS)
async def test_other_names_are_refused(host: str):
    assert await status(host, LOOPBACK_HOSTS) == (403, "HostNotAllowed")


async def test_without_names_everyone_is_answered():
    assert await status("evil.example", None) == (200, None)
