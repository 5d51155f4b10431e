import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request

from lorekeeper_runtime.query.connection import ConnectionScope, read_json
from lorekeeper_runtime.query.errors import QueryError


class Connection:
    """What a server gives an application to read from."""

    def __init__(self, *messages: dict) -> None:
        self._messages = list(messages)
        self._closed = asyncio.Event()
        self.waiting = asyncio.Event()

    def close(self) -> None:
        self._closed.set()

    async def receive(self) -> dict:
        if self._messages:
            return self._messages.pop(0)
        self.waiting.set()
        await self._closed.wait()
        return {"type": "http.disconnect"}


async def hang_in_scope(connection: Connection) -> None:
    async with ConnectionScope(connection.receive):
        await asyncio.Event().wait()


async def test_a_closed_connection_cancels_what_runs_and_says_so():
    connection = Connection()
    task = asyncio.create_task(hang_in_scope(connection))
    await connection.waiting.wait()
    connection.close()
    with pytest.raises(ClientDisconnect):
        await asyncio.wait_for(task, 5)
    assert task.cancelling() == 0


async def test_a_cancellation_from_elsewhere_passes_as_it_is():
    connection = Connection()
    task = asyncio.create_task(hang_in_scope(connection))
    await connection.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_work_that_ends_leaves_no_watcher_behind():
    connection = Connection()
    async with ConnectionScope(connection.receive):
        await connection.waiting.wait()
    before = asyncio.all_tasks()
    connection.close()
    await asyncio.gather(*(before - {asyncio.current_task()}), return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_error_of_the_work_passes():
    with pytest.raises(ValueError, match="mine"):
        async with ConnectionScope(Connection().receive):
            raise ValueError("mine")


async def test_an_error_on_the_way_out_is_not_hidden_by_the_closed_connection():
    connection = Connection()

    async def work() -> None:
        async with ConnectionScope(connection.receive):
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("mine")

    task = asyncio.create_task(work())
    await connection.waiting.wait()
    connection.close()
    with pytest.raises(ValueError, match="mine"):
        await asyncio.wait_for(task, 5)


def make_request(connection: Connection) -> Request:
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/vnd.x+json")]}
    return Request(scope, connection.receive)


async def test_a_body_in_parts():
    parts = [
        {"type": "http.request", "body": b'{"a":', "more_body": True},
        {"type": "http.request", "body": b" 1}", "more_body": False},
    ]
    assert await read_json(make_request(Connection(*parts))) == {"a": 1}


async def test_a_body_that_does_not_come():
    with pytest.raises(QueryError, match=r"0\.05 seconds") as caught:
        await read_json(make_request(Connection()), seconds=0.05)
    assert (caught.value.code, caught.value.status) == ("RequestTimeout", 408)


async def test_a_client_that_leaves_before_its_body_is_whole():
    connection = Connection({"type": "http.request", "body": b"{", "more_body": True})
    connection.close()
    with pytest.raises(ClientDisconnect):
        await read_json(make_request(connection))
