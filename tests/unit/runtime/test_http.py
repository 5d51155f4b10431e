"""The REST client: retries before the first byte, streams that end with their reader, credentials from files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from lorekeeper_runtime.http import HttpClient, HttpError, SecretFile, UnreachableError
from tests.support.fake_ollama import serve

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with serve(app) as url:
        yield url


@pytest.fixture
def seen() -> list[web.Request]:
    return []


@pytest.fixture
async def busy(seen: list[web.Request]) -> AsyncIterator[str]:
    """A server that is busy twice and then answers."""

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        if len(seen) < 3:
            return web.Response(status=503, text="busy", headers={"Retry-After": "1"})
        return web.Response(text='{"ok":true}')

    async for url in serving(handle):
        yield url


async def test_a_busy_server_is_asked_again(busy: str, seen: list[web.Request]) -> None:
    http = HttpClient(busy)
    assert await http.get_json("/x") == {"ok": True}
    await http.close()
    assert len(seen) == 3


async def test_a_request_that_must_not_be_sent_twice_is_not(busy: str, seen: list[web.Request]) -> None:
    http = HttpClient(busy)
    with pytest.raises(HttpError) as caught:
        await http.request("POST", "/x", b"{}", retry=False)
    await http.close()
    assert (caught.value.status, caught.value.retry_after, len(seen)) == (503, 1.0, 1)


async def test_a_stream_is_asked_for_again_before_it_begins(busy: str, seen: list[web.Request]) -> None:
    http = HttpClient(busy)
    async with http.stream("/x", b"{}") as reader:
        assert await reader.read() == b'{"ok":true}'
    await http.close()
    assert len(seen) == 3


async def test_a_stream_whose_last_line_was_read_keeps_the_connection() -> None:
    ports = []
    read = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b"line\n")
        await read.wait()  # the end of the body comes on its own, after the last line
        read.clear()
        return reply

    async for url in serving(handle):
        http = HttpClient(url)
        for _ in range(3):
            async with http.stream("/x", b"{}") as reader:
                assert await reader.readline() == b"line\n"
                read.set()
        await http.close()
    assert len(set(ports)) == 1


async def test_a_stream_that_breaks_is_unreachable() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b"line\n")
        assert request.transport is not None
        request.transport.abort()
        return reply

    async for url in serving(handle):
        http = HttpClient(url)

        async def read(http: HttpClient) -> None:
            async with http.stream("/x", b"{}") as reader:
                while await reader.readany():
                    pass

        with pytest.raises(UnreachableError):
            await read(http)
        await http.close()


async def test_nobody_there(unused_tcp_port: int) -> None:
    http = HttpClient(f"http://127.0.0.1:{unused_tcp_port}", attempts=2)
    with pytest.raises(UnreachableError):
        await http.get_json("/x")
    await http.close()


async def test_credentials_are_read_again_when_they_change(tmp_path: Path, seen: list[web.Request]) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response(text="{}")

    async for url in serving(handle):
        http = HttpClient(url, secret=SecretFile(file), headers={"X-More": "1"})
        await http.get_json("/x")
        new = tmp_path / "new"
        new.write_text("second")
        new.replace(file)
        await http.get_json("/x")
        await http.close()
    assert [request.headers["Authorization"] for request in seen] == ["Bearer first", "Bearer second"]
    assert seen[0].headers["X-More"] == "1"


async def test_a_missing_credentials_file_is_like_a_refused_one(tmp_path: Path) -> None:
    http = HttpClient("http://127.0.0.1:1", secret=SecretFile(tmp_path / "missing"))
    with pytest.raises(HttpError) as caught:
        await http.get_json("/x")
    await http.close()
    assert caught.value.status == 401
