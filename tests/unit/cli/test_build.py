"""From resources to a configuration: `lorekeeper_api.contract.build`."""

from typing import Any

import pytest

from lorekeeper_api.contract.build import (
    CLUSTER_ONLY_FIELDS,
    build_config,
    build_embedding,
    build_generation,
    build_source,
    build_store,
)
from lorekeeper_api.contract.config import RuntimeConfig, StoreConfig
from lorekeeper_api.pipeline import Credentials, RAGPipelineSpec
from lorekeeper_api.source import KnowledgeSourceSpec


class Places:
    ollama = "http://ollama:11434"

    def managed_store(self) -> StoreConfig:
        return StoreConfig(kind="Embedded", path="/home")

    def secret_file(self, credentials: Credentials) -> str:
        return f"/secrets/{credentials.name}/{credentials.key}"

    def secret_folder(self, name: str) -> str:
        return f"/secrets/{name}"

    def config_map_folder(self, name: str) -> str:
        return f"/configmaps/{name}"

    def volume_folder(self, claim: str) -> str:
        return f"/volumes/{claim}"

    def model_file(self, name: str) -> str:
        return f"/models/{name}"

    def source_cache(self, source: str) -> str | None:
        return f"/cache/{source}"


def pipeline(**changes: Any) -> RAGPipelineSpec:
    body = {"sources": [{"name": "a"}], "embedding": {"provider": "Ollama", "model": "nomic-embed-text"}} | changes
    return RAGPipelineSpec.model_validate(body)


def source(**spec: Any) -> KnowledgeSourceSpec:
    return KnowledgeSourceSpec.model_validate(spec)


def build(spec: RAGPipelineSpec, *, digest: str = "sha256:1", dimensions: int = 768) -> RuntimeConfig:
    embedding = build_embedding(spec, Places()).model_copy(update={"digest": digest, "dimensions": dimensions})
    return build_config(
        namespace="team",
        name="support",
        spec=spec,
        sources={"a": source(configMap={"name": "docs"})},
        embedding=embedding,
        places=Places(),
    )


def test_the_shortest_pipeline_is_complete() -> None:
    config = build(pipeline())

    revision = config.revisions[config.target]
    assert config.alias == "team.support"
    assert revision.collection == f"team.support.{config.target}"
    assert revision.documents == f"team.support.{config.target}.documents"
    assert (revision.embedding.query_prefix, revision.embedding.document_prefix) == (
        "search_query: ",
        "search_document: ",
    )
    assert revision.embedding.endpoint == "http://ollama:11434"
    assert (revision.dense, revision.sparse) == (True, True)
    assert config.generation is None
    assert config.store == StoreConfig(kind="Embedded", path="/home")
    assert config.sources[0].mount == "/configmaps/docs"


def test_it_survives_the_file_between_operator_and_runtime() -> None:
    config = build(pipeline(generation={"provider": "Ollama", "model": "gemma3:1b"}))

    assert RuntimeConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config


@pytest.mark.parametrize(
    ("mode", "expected"), [("Dense", (True, False)), ("Sparse", (False, True)), ("Hybrid", (True, True))]
)
def test_only_what_is_searched_is_kept(mode: str, expected: tuple[bool, bool]) -> None:
    config = build(pipeline(retrieval={"mode": mode}))

    revision = config.revisions[config.target]
    assert (revision.dense, revision.sparse) == expected


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"generation": {"provider": "Extractive"}}, True),
        ({"retrieval": {"topK": 9}}, True),
        ({"store": {"external": {"url": "http://q:6333"}}}, True),
        ({"embedding": {"provider": "Ollama", "model": "nomic-embed-text", "endpoint": "http://x:1"}}, True),
        ({"chunking": {"size": 500}}, False),
        ({"retrieval": {"mode": "Dense"}}, False),
        ({"embedding": {"provider": "Ollama", "model": "other"}}, False),
    ],
)
def test_the_fingerprint_changes_with_what_a_vector_means(changes: dict[str, Any], same: bool) -> None:
    assert (build(pipeline(**changes)).target == build(pipeline()).target) is same


def test_new_weights_under_the_same_name_are_a_new_revision() -> None:
    assert build(pipeline(), digest="sha256:2").target != build(pipeline()).target


def test_declared_prefixes_replace_the_known_ones() -> None:
    embedding = {"provider": "Ollama", "model": "nomic-embed-text", "prefixes": {"query": "q: "}}

    config = build_embedding(pipeline(embedding=embedding), Places())

    assert (config.query_prefix, config.document_prefix) == ("q: ", "")


@pytest.mark.parametrize(
    ("provider", "declared", "expected"),
    [
        ("Ollama", None, "http://ollama:11434"),
        ("Ollama", "http://gpu:1", "http://gpu:1"),
        ("OpenAI", None, "https://api.openai.com/v1"),
        ("OpenAI", "http://vllm/v1", "http://vllm/v1"),
        ("Embedded", None, None),
    ],
)
def test_endpoints(provider: str, declared: str | None, expected: str | None) -> None:
    embedding = {"provider": provider, "model": "m", "endpoint": declared, "credentials": {"name": "s", "key": "k"}}

    config = build_embedding(pipeline(embedding=embedding), Places())

    assert (config.endpoint, config.credentials_file) == (expected, "/secrets/s/k")


def test_generation_is_resolved() -> None:
    declared = {
        "provider": "OpenAI",
        "model": "m",
        "credentials": {"name": "s"},
        "temperature": 0,
        "maxTokens": 7,
        "contextWindow": 600,
        "systemPrompt": "Be brief.",
    }

    config = build_generation(pipeline(generation=declared).generation, Places())

    assert config is not None
    assert config.model_dump(mode="json") == {
        "provider": "OpenAI",
        "model": "m",
        "endpoint": "https://api.openai.com/v1",
        "credentials_file": "/secrets/s/api-key",
        "temperature": 0.0,
        "max_tokens": 7,
        "context_window": 600,
        "system_prompt": "Be brief.",
    }


def test_an_embedded_model_is_a_file_and_extractive_has_none() -> None:
    embedded = build_generation(pipeline(generation={"provider": "Embedded", "model": "m.gguf"}).generation, Places())
    extractive = build_generation(pipeline(generation={"provider": "Extractive"}).generation, Places())

    assert embedded is not None
    assert embedded.model == "/models/m.gguf"
    assert embedded.endpoint is None
    assert extractive is not None
    assert (extractive.model, extractive.endpoint) == (None, None)


def test_an_external_store_is_qdrant() -> None:
    external = {"url": "https://q.example:6333", "credentials": {"name": "qdrant"}}

    assert build_store(pipeline(store={"external": external}), Places()) == StoreConfig(
        kind="Qdrant", url="https://q.example:6333", credentials_file="/secrets/qdrant/api-key"
    )


def test_sources_find_their_places() -> None:
    volume = build_source("v", source(volume={"claimName": "disk"}), Places())
    git = build_source("g", source(git={"url": "https://x/y.git", "credentials": "s"}), Places())
    public = build_source("p", source(git={"url": "https://x/y.git"}), Places())
    inline = build_source("i", source(inline={"documents": [{"path": "a.md", "text": "x"}]}), Places())

    assert volume.mount == "/volumes/disk"
    assert (git.cache, git.credentials) == ("/cache/g", "/secrets/s")
    assert (public.cache, public.credentials) == ("/cache/p", None)
    assert (inline.mount, inline.cache, inline.credentials) == (None, None, None)


def test_cluster_only_fields_exist() -> None:
    models = {"RAGPipeline": RAGPipelineSpec, "KnowledgeSource": KnowledgeSourceSpec}
    for kind, paths in CLUSTER_ONLY_FIELDS.items():
        for first, *_ in paths:
            assert first in {field.alias for field in models[kind].model_fields.values()}
