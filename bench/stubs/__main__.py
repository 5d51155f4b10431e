"""Run one stub: `python -m bench.stubs models|qdrant`. Prints its address, ends when its standard input closes."""

import asyncio
import sys

import uvloop

from bench.stubs.http import Handler, StubProtocol
from bench.stubs.models import ModelsStub
from bench.stubs.qdrant import QdrantStub


async def _serve(handler: Handler) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: StubProtocol(handler), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        # The benchmark holds the other end: the stub goes with it, however it ends.
        await loop.run_in_executor(None, sys.stdin.buffer.read)


def main() -> None:
    stub = QdrantStub() if sys.argv[1] == "qdrant" else ModelsStub()
    uvloop.run(_serve(stub.handle))


main()
