import pytest

from lorekeeper_api.pipeline import RetrievalMode
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.query.errors import QueryError
from lorekeeper_runtime.query.pipeline import ALIAS_SECONDS, Pipeline
from lorekeeper_runtime.query.retrieve import ATTEMPTS, retrieve
from tests.unit.runtime.query.parts import DOCUMENTS, FINGERPRINT, OTHER, make_pipeline

QUESTION = "Which port does the service listen on by default?"


async def test_a_passage_comes_with_everything_that_a_citation_needs():
    parts = make_pipeline()
    found = await retrieve(parts.pipeline, QUESTION)
    best = found.passages[0]
    assert (best.source, best.document, best.title, best.headings) == (
        "handbook",
        "ports.md",
        "Ports",
        ("Network", "Defaults"),
    )
    assert (best.page, best.position, best.link) == (3, 0, "https://docs.example.com/ports.md")
    assert best.dense == found.best_cosine
    assert best.dense is not None
    assert best.dense > 0.5
    assert best.sparse is not None
    assert best.score == pytest.approx(1.0)
    assert found.revision == FINGERPRINT
    assert found.mode is RetrievalMode.HYBRID
    assert parts.store.searches == 1


async def test_top_k_is_the_pipelines_own_unless_asked_otherwise():
    documents = [{"document": f"{n}.md", "text": f"port port port number{n}"} for n in range(20)]
    parts = make_pipeline(documents, retrieval={"top_k": 4, "candidates": 6})
    assert len((await retrieve(parts.pipeline, "port")).passages) == 4
    assert len((await retrieve(parts.pipeline, "port", top_k=2)).passages) == 2
    assert len((await retrieve(parts.pipeline, "port", top_k=10)).passages) == 10


@pytest.mark.parametrize("mode", ["Hybrid", "Dense"])
async def test_a_question_about_something_else_finds_nothing(mode):
    parts = make_pipeline(retrieval={"mode": mode, "minimum_score": 0.3})
    found = await retrieve(parts.pipeline, "Who won yesterday?")
    assert found.passages == []
    assert found.minimum_score == 0.3
    assert found.best_cosine is not None
    assert found.best_cosine < 0.3


async def test_passages_below_the_minimum_are_dropped_and_the_request_may_move_it():
    parts = make_pipeline()
    assert len((await retrieve(parts.pipeline, QUESTION, minimum_score=0)).passages) == 3
    assert len((await retrieve(parts.pipeline, QUESTION, minimum_score=0.6)).passages) == 1
    assert (await retrieve(parts.pipeline, QUESTION, minimum_score=1)).passages == []


async def test_a_passage_that_only_the_words_found_passes_while_the_lowest_cosine_does():
    # One candidate by meaning: its cosine is the bound of the one that only the words find.
    documents = [
        {"document": "near.md", "text": "port port port port"},
        {"document": "words.md", "text": "E4711 " + "other words that lead away from it " * 3},
    ]
    parts = make_pipeline(documents, retrieval={"candidates": 1, "top_k": 1, "minimum_score": 0.3})
    searched = parts.store.search

    async def search(collection, **query):
        dense, sparse = await searched(collection, **query | {"limit": 10})
        return dense[:1], [hit for hit in sparse if hit.payload["document"] == "words.md"]

    parts.store.search = search
    found = await retrieve(parts.pipeline, "port port port E4711", top_k=2)
    assert [(passage.document, passage.dense) for passage in found.passages][1] == ("words.md", None)
    found = await retrieve(parts.pipeline, "port port port E4711", top_k=2, minimum_score=0.99)
    assert found.passages == []


async def test_words_alone_have_no_minimum_and_embed_nothing():
    parts = make_pipeline(retrieval={"mode": "Sparse", "minimum_score": 0.9})
    found = await retrieve(parts.pipeline, "backup")
    assert [passage.document for passage in found.passages] == ["backup.md"]
    assert found.passages[0].score == found.passages[0].sparse
    assert found.minimum_score is None
    assert found.mode is RetrievalMode.SPARSE
    assert parts.embedder.embedded == []
    assert (await retrieve(parts.pipeline, "nonsense")).passages == []


async def test_an_older_revision_is_searched_by_what_it_has():
    parts = make_pipeline(retrieval={"mode": "Sparse"})
    old = parts.pipeline.config.revisions[FINGERPRINT].model_copy(update={"sparse": False})
    config = parts.pipeline.config.model_copy(update={"revisions": {FINGERPRINT: old}})
    pipeline = Pipeline(config, parts.store, parts.pipeline.embedders, None)
    assert (await retrieve(pipeline, QUESTION)).mode is RetrievalMode.DENSE


async def test_equal_passages_are_one_with_several_places():
    copies = [{**DOCUMENTS[0], "document": f"copy-{n}.md"} for n in range(3)]
    other_heading = {**DOCUMENTS[0], "document": "other.md", "headings": ["Elsewhere"]}
    parts = make_pipeline([*copies, other_heading, *DOCUMENTS[1:]], retrieval={"top_k": 2})
    found = await retrieve(parts.pipeline, QUESTION)
    assert [passage.document for passage in found.passages] == ["copy-0.md", "other.md"]
    assert found.passages[0].also_in == [("handbook", "copy-1.md"), ("handbook", "copy-2.md")]


async def test_the_alias_is_read_again_only_after_a_while():
    now = 100.0
    parts = make_pipeline(clock=lambda: now)
    for _ in range(3):
        await retrieve(parts.pipeline, QUESTION)
    assert parts.store.alias_reads == 1
    now += ALIAS_SECONDS
    await retrieve(parts.pipeline, QUESTION)
    assert parts.store.alias_reads == 2


async def test_a_promotion_in_between_is_followed_by_embedding_anew():
    parts = make_pipeline()
    await retrieve(parts.pipeline, QUESTION)
    parts.store.aliases["default.support"] = f"default.support.{OTHER}"
    found = await retrieve(parts.pipeline, QUESTION)
    assert found.revision == OTHER
    assert len(parts.embedder.embedded) == 3
    assert parts.store.alias_reads == 2


async def test_endless_promotions_end():
    parts = make_pipeline()
    flip = [f"default.support.{FINGERPRINT}", f"default.support.{OTHER}"]

    def promote() -> None:
        parts.store.aliases["default.support"] = flip[parts.store.searches % 2]

    parts.store.before_search = promote
    with pytest.raises(QueryError) as caught:
        await retrieve(parts.pipeline, QUESTION)
    assert (caught.value.code, caught.value.reason) == ("VectorSearchFailed", "RevisionChanged")
    assert caught.value.retryable
    assert parts.store.searches == ATTEMPTS


async def test_no_knowledge_yet():
    parts = make_pipeline()
    parts.store.aliases.clear()
    with pytest.raises(QueryError, match="no knowledge yet") as caught:
        await retrieve(parts.pipeline, QUESTION)
    assert (caught.value.code, caught.value.status, caught.value.retryable) == ("NotReady", 503, True)
    await parts.store.promote("default.support", f"default.support.{FINGERPRINT}")
    assert (await retrieve(parts.pipeline, QUESTION)).passages


async def test_a_revision_that_this_service_does_not_know():
    parts = make_pipeline()
    parts.store.add("default.support.99999999", "99999999", [])
    parts.store.aliases["default.support"] = "default.support.99999999"
    with pytest.raises(QueryError, match="99999999") as caught:
        await retrieve(parts.pipeline, QUESTION)
    assert caught.value.code == "NotReady"


async def test_failures_name_their_stage():
    parts = make_pipeline()
    parts.store.down = True
    with pytest.raises(QueryError) as caught:
        await retrieve(parts.pipeline, QUESTION)
    assert (caught.value.code, caught.value.reason) == ("VectorSearchFailed", "StoreUnreachable")
    parts.store.down = False
    parts.embedder.error = ProviderError("The model is away; start it.", code="ProviderUnreachable")
    with pytest.raises(QueryError) as caught:
        await retrieve(parts.pipeline, QUESTION)
    assert (caught.value.code, caught.value.reason) == ("EmbeddingFailed", "ProviderUnreachable")
    parts.embedder.error = ProviderError("The model is away; start it.")
    with pytest.raises(QueryError) as caught:
        await retrieve(parts.pipeline, QUESTION)
    assert (caught.value.code, caught.value.reason) == ("EmbeddingFailed", None)
