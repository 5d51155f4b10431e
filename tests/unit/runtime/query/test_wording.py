"""What the question's own words say of a passage, through the whole of retrieval."""

import pytest

from lorekeeper_runtime.query.errors import QueryError
from lorekeeper_runtime.query.pipeline import Pipeline
from lorekeeper_runtime.query.retrieve import retrieve
from tests.unit.runtime.query.parts import make_pipeline

FILLING = "This page is about many other things that nobody asked for in this question of one word"
PLATFORMS = [
    {"document": "limits.md", "title": "Limits", "text": f"{FILLING}. Windows is out."},
    {"document": "other.md", "title": "Other", "text": f"{FILLING}. Nothing else stands here."},
]


@pytest.fixture
def known_floor(monkeypatch):
    """As if strangers reached 0.2 in every revision."""

    async def read_floor(*_: object) -> float:
        return 0.2

    monkeypatch.setattr(Pipeline, "read_floor", read_floor)


@pytest.mark.usefixtures("known_floor")
async def test_a_passage_with_every_word_passes_the_models_own_minimum():
    parts = make_pipeline(PLATFORMS, retrieval={"minimum_score": None})
    found = await retrieve(parts.pipeline, "Can I use Windows?")
    assert [passage.document for passage in found.passages] == ["limits.md"]
    assert (found.passages[0].dense or 0) < (found.minimum_score or 0)
    assert (await retrieve(parts.pipeline, "Can I use Windows with Oracle?")).passages == []


@pytest.mark.usefixtures("known_floor")
@pytest.mark.parametrize("retrieval_settings", [{"minimum_score": 0.5}, {"minimum_score": None, "mode": "Dense"}])
async def test_a_minimum_that_somebody_chose_holds(retrieval_settings):
    parts = make_pipeline(PLATFORMS, retrieval=retrieval_settings)
    assert (await retrieve(parts.pipeline, "Can I use Windows?")).passages == []
    parts = make_pipeline(PLATFORMS, retrieval={"minimum_score": None})
    assert (await retrieve(parts.pipeline, "Can I use Windows?", minimum_score=0.5)).passages == []


async def test_a_document_about_nothing_else_begins_with_the_answer():
    documents = [
        {"document": "a.md", "title": "Names", "position": 0, "text": "acme acme acme"},
        {"document": "b.md", "title": "What Acme is", "position": 1, "text": "acme acme"},
        {"document": "b.md", "title": "What Acme is", "position": 0, "text": f"Acme keeps things. {FILLING}"},
    ]
    parts = make_pipeline(documents, retrieval={"minimum_score": 0, "top_k": 1})
    (best,) = (await retrieve(parts.pipeline, "What is Acme?")).passages
    assert (best.document, best.position) == ("b.md", 0)
    (best,) = (await retrieve(parts.pipeline, "Which names does Acme have?")).passages
    assert best.document != "b.md"


async def test_a_question_that_is_no_unicode_is_refused_before_anything_is_asked():
    parts = make_pipeline()
    with pytest.raises(QueryError, match="'question'") as caught:
        await retrieve(parts.pipeline, "what is \udcff")
    assert (caught.value.code, caught.value.status) == ("InvalidRequest", 400)
    assert parts.embedder.embedded == []
