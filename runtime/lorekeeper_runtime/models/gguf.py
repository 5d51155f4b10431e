"""Any GGUF file as language model: llama.cpp inside the process, through xllamacpp."""

import asyncio
import hashlib
import importlib
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from lorekeeper_api.contract.config import GenerationConfig
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.http import HttpClient
from lorekeeper_runtime.models.cpus import count_cpus
from lorekeeper_runtime.models.openai import OpenAIGenerator
from lorekeeper_runtime.ports import GeneratedPiece, GenerationRequest, ModelDescription

__all__ = ["GGUFGenerator"]

ALIAS = "embedded"
PROMPT_CACHE_MIB = 256  # llama.cpp's own default is 8 GiB


class GGUFGenerator:
    """A GGUF file, served inside this process on a loopback port that only this object has the key of.

    llama.cpp's own server applies the chat template of the file, keeps the prompt cache and stops when a reader goes.
    It starts when the model is described, which a service does before it is ready: loading holds the interpreter for as
    long as it takes, also from a thread, and the first question is the wrong moment for that.

    Args:
        config: The resolved model; `model` is the path of the file.
        threads: Threads that compute. One less than the processors when None: on contended processors llama.cpp's
            threads wait for each other, and the last one costs more than it brings.
    """

    def __init__(self, config: GenerationConfig, *, threads: int | None = None) -> None:
        self._config = config
        self._path = Path(config.model or "")
        self._threads = threads or max(1, count_cpus() - 1)
        self._starting = asyncio.Lock()
        self._loading: asyncio.Task[tuple[Any, str]] | None = None
        self._server: Any = None
        self._client: OpenAIGenerator | None = None
        self._digest = ""

    async def describe(self) -> ModelDescription:
        """Check the file, hash it and load the model; see `ports.Generator`."""
        if not self._digest:
            self._digest = await asyncio.to_thread(_hash_model, self._path)
        await self._start()
        return ModelDescription(name=self._path.name, digest=f"sha256:{self._digest}")

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GeneratedPiece, None]:
        """Stream the answer; see `ports.Generator`."""
        client = await self._start()
        async with aclosing(client.generate(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Stop the server and free the model's memory."""
        async with self._starting:
            if self._loading is not None:  # whoever wanted it has gone
                loading, self._loading = self._loading, None
                await asyncio.gather(loading, return_exceptions=True)
                if not loading.cancelled() and loading.exception() is None:
                    self._server = loading.result()[0]
                del loading
            if self._client is not None:
                await self._client.close()
            server, self._client, self._server = self._server, None, None
            if server is not None:
                holder = [server]
                del server
                await asyncio.to_thread(holder.clear)  # letting go of the last reference stops and joins its threads

    async def _start(self) -> OpenAIGenerator:
        async with self._starting:
            if self._client is None:
                self._server, key = await self._wait_for_server()
                http = HttpClient(
                    f"{self._server.listening_address}/v1",
                    # It promises to keep a connection and closes it after a stream.
                    headers={"Authorization": f"Bearer {key}", "Connection": "close"},
                    timeout_seconds=600,  # a long prompt on a slow processor says nothing for minutes
                )
                self._client = OpenAIGenerator(self._config.model_copy(update={"model": ALIAS}), http)
            return self._client

    async def _wait_for_server(self) -> tuple[Any, str]:
        """Load the model. A caller that gives up leaves the work to the next one, who would have to begin anew."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        loading = self._loading
        try:
            return await asyncio.shield(loading)
        finally:
            if loading.done():
                self._loading = None

    async def _load(self) -> tuple[Any, str]:
        key = secrets.token_urlsafe(24)
        return await asyncio.to_thread(_start_server, self._path, key, self._config.context_window, self._threads), key


def _start_server(path: Path, key: str, context_window: int, threads: int) -> Any:
    """Load the model and open its port; some seconds for a large file."""
    _check_model(path)
    try:
        xllamacpp = importlib.import_module("xllamacpp")
    except ImportError as error:
        raise ProviderError(
            "The runner of GGUF files is not installed; run `pip install 'lorekeeper[embedded]'`.",
            code="ModelNotFound",
            retryable=False,
        ) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {ALIAS}
    params.n_ctx = context_window
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.ctx_shift = False  # too long an answer ends, it does not push the passages out
    params.endpoint_slots = False  # would show questions
    params.offline = True
    params.ui = False
    params.verbosity = -1
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ProviderError(
            f"The model file {path.name} cannot be loaded; check that it is whole, that llama.cpp knows its "
            "architecture, and that there is memory for it and its context window.",
            code="GenerationFailed",
            retryable=False,
        ) from error


def _check_model(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ProviderError(
            f"The model file {path} cannot be read; set spec.generation.model to the path of a GGUF file.",
            code="ModelNotFound",
            retryable=False,
        ) from error
    if magic != b"GGUF":
        raise ProviderError(
            f"The model file {path} is not a GGUF file; set spec.generation.model to the path of one.",
            code="ModelNotFound",
            retryable=False,
        )


def _hash_model(path: Path) -> str:
    _check_model(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
