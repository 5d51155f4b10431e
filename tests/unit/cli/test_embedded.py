from typing import Any

from lorekeeper_api.pipeline import RAGPipelineSpec
from lorekeeper_cli.embedded import replace_remote


def spec(**changes: Any) -> RAGPipelineSpec:
    body = {"sources": [{"name": "a"}], "embedding": {"provider": "Ollama", "model": "nomic-embed-text"}} | changes
    return RAGPipelineSpec.model_validate(body)


def test_every_remote_part_is_replaced_and_named() -> None:
    replaced, said = replace_remote(
        spec(
            embedding={"provider": "OpenAI", "model": "m", "dimensions": 512, "prefixes": {"query": "q: "}},
            generation={"provider": "Ollama", "model": "gemma3:1b"},
            store={"external": {"url": "https://q.example"}},
            retrieval={"minimumScore": 0.9, "topK": 3},
        )
    )

    assert replaced.embedding.model_dump(exclude_none=True) == {"provider": "Embedded", "model": "all-minilm-l6-v2"}
    assert replaced.generation is not None
    assert replaced.generation.provider == "Extractive"
    assert replaced.generation.model is None
    assert replaced.store.external is None
    assert (replaced.retrieval.minimum_score, replaced.retrieval.top_k) == (None, 3)
    assert [sentence.split(" ")[0] for sentence in said] == [
        "embedding",
        "retrieval.minimumScore",
        "generation",
        "store",
    ]


def test_local_parts_stay() -> None:
    declared = spec(
        embedding={"provider": "Embedded", "model": "all-minilm-l6-v2"},
        generation={"provider": "Embedded", "model": "m.gguf"},
        retrieval={"minimumScore": 0.4},
    )

    assert replace_remote(declared) == (declared, [])


def test_a_pipeline_that_only_retrieves_stays_one() -> None:
    replaced, said = replace_remote(spec())

    assert replaced.generation is None
    assert len(said) == 1
