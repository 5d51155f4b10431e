from pathlib import Path

import pytest

from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.given import Given
from lorekeeper_cli.manifests import Manifests, load_manifests
from lorekeeper_cli.resolve import (
    DeclaredPipeline,
    cluster_only_fields,
    declare_pipelines,
    name_embedded,
    resolve_config,
)
from lorekeeper_runtime.errors import ProviderError

TEXT = """\
apiVersion: lorekeeper.dev/v1alpha1
kind: RAGPipeline
metadata: {name: notes, namespace: team}
spec:
  sources: [{name: notes}]
  embedding: {provider: Ollama, model: nomic-embed-text}
  retrieval: {mode: Sparse}
  serving: {replicas: 1}
---
apiVersion: lorekeeper.dev/v1alpha1
kind: KnowledgeSource
metadata: {name: notes, namespace: team}
spec: {inline: {documents: [{path: a.md, text: x}]}}
"""


def load(tmp_path: Path, text: str = TEXT) -> Manifests:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    return load_manifests([str(path)])


def declare(manifests: Manifests, tmp_path: Path, *, embedded: bool = False) -> list[DeclaredPipeline]:
    return declare_pipelines(manifests, Given(), home=tmp_path / "home", folder=tmp_path / "private", embedded=embedded)


async def test_a_pipeline_that_searches_words_only_asks_no_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "gpu.example:5000")
    (declared,) = declare(load(tmp_path), tmp_path)

    config = await resolve_config(declared)

    revision = config.revisions[config.target]
    assert (revision.dense, revision.embedding.endpoint) == (False, "http://gpu.example:5000")
    assert (config.namespace, config.alias, config.store.path) == ("team", "team.notes", str(tmp_path / "home"))
    assert [source.name for source in config.sources] == ["notes"]


def test_embedded_tells_what_it_replaced(tmp_path: Path) -> None:
    (declared,) = declare(load(tmp_path), tmp_path, embedded=True)

    assert declared.spec.embedding.provider == "Embedded"
    assert declared.replaced == ["embedding Ollama nomic-embed-text -> Embedded all-minilm-l6-v2"]


def test_without_a_pipeline_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="hold no RAGPipeline"):
        declare(load(tmp_path, TEXT.split("---\n")[1]), tmp_path)


def test_cluster_only_fields_are_listed_where_they_are_set(tmp_path: Path) -> None:
    assert cluster_only_fields(load(tmp_path)) == ["RAGPipeline/notes: spec.serving.replicas"]
    assert cluster_only_fields(load(tmp_path, TEXT.replace("  serving: {replicas: 1}\n", ""))) == []


def test_the_way_out_is_named_once() -> None:
    error = name_embedded(ProviderError("The key was refused.", code="ProviderUnauthorized", retryable=False))

    assert error.message == "The key was refused. To do without remote parts add --embedded."
    assert (error.code, error.retryable) == ("ProviderUnauthorized", False)
    assert name_embedded(error) is error
