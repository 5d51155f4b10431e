import random
from contextlib import aclosing

import pytest

from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.models.prompt import build_messages, estimate_message_tokens
from lorekeeper_runtime.query.answer import (
    NOT_IN_SOURCES,
    AnswerFinished,
    AnswerPiece,
    AnswerStarted,
    Question,
    answer,
    collect,
)
from lorekeeper_runtime.query.errors import QueryError
from tests.unit.runtime.query.parts import DOCUMENTS, make_pipeline

QUESTION = Question("Which port does the service listen on by default?")


async def test_events_come_in_order_and_marks_name_passages():
    parts = make_pipeline()
    events = [event async for event in answer(parts.pipeline, QUESTION)]
    assert isinstance(events[0], AnswerStarted)
    assert isinstance(events[-1], AnswerFinished)
    text = "".join(event.text for event in events[1:-1] if isinstance(event, AnswerPiece))
    assert text == f"It says: {DOCUMENTS[0]['text']} [1]."
    finished = events[-1]
    assert (finished.answered, finished.asked_model, finished.cited) == (True, True, [1])
    assert [text[mark.start : mark.end] for mark in finished.marks] == ["[1]"]
    assert (finished.prompt_tokens, finished.completion_tokens, finished.finish_reason) == (100, 20, "stop")
    assert finished.seconds["first_token"] <= finished.seconds["generate"]
    assert parts.generator.closed.is_set()


async def test_without_a_good_passage_the_model_is_not_asked():
    parts = make_pipeline()
    whole = await collect(answer(parts.pipeline, Question("Who won the football match last night?", minimum_score=0.5)))
    assert whole.text == NOT_IN_SOURCES
    assert (whole.finished.answered, whole.finished.asked_model, whole.finished.cited) == (False, False, [])
    assert parts.generator.requests == []


@pytest.mark.parametrize("written", [[], [""], ["  ", "\n"], ["[9]"], [" [", "9] "]])
async def test_a_model_that_writes_nothing_has_found_no_support(written):
    parts = make_pipeline()
    parts.generator.write = lambda request: written
    whole = await collect(answer(parts.pipeline, QUESTION))
    assert whole.text == NOT_IN_SOURCES
    assert (whole.finished.answered, whole.finished.asked_model) == (False, True)
    assert whole.started.packed.passages


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        (["The sources ", "do not say."], False),
        (["The sources do not say which colour."], False),
        (["The sources do not say it in so many words, but 8080 [1]."], True),
        (["8080."], True),
    ],
)
async def test_a_model_that_says_it_does_not_know_has_not_answered(written, answered):
    parts = make_pipeline()
    parts.generator.write = lambda request: written
    assert (await collect(answer(parts.pipeline, QUESTION))).finished.answered is answered


async def test_white_space_before_the_text_moves_the_marks():
    parts = make_pipeline()
    parts.generator.write = lambda request: ["\n", " ", "Port [1]", " and [7] colour [1, 2]."]
    whole = await collect(answer(parts.pipeline, Question(QUESTION.text, minimum_score=0)))
    assert whole.text == "Port [1] and colour [1][2]."
    assert [whole.text[mark.start : mark.end] for mark in whole.finished.marks] == ["[1]", "[1]", "[2]"]
    assert whole.finished.cited == [1, 2]
    assert whole.finished.removed_marks == 1


async def test_the_generator_gets_what_the_asker_wants_within_the_pipelines_limits():
    parts = make_pipeline(generation={"max_tokens": 100})
    question = Question(
        QUESTION.text,
        history=[("user", "Hello"), ("assistant", "Yes?")],
        temperature=0.7,
        max_tokens=5000,
        stop=["END"],
        seed=3,
    )
    await collect(answer(parts.pipeline, question))
    (request,) = parts.generator.requests
    assert (request.temperature, request.max_tokens, request.stop, request.seed) == (0.7, 100, ["END"], 3)
    assert list(request.history) == [("user", "Hello"), ("assistant", "Yes?")]
    assert request.passages[0].headings == ("Network", "Defaults")
    await collect(answer(parts.pipeline, QUESTION))
    assert parts.generator.requests[1].max_tokens is None


async def test_what_does_not_fit_is_left_out_whole_and_said():
    words = "port service listen default " * 20
    documents = [{"document": f"{n}.md", "text": f"{words} number{n} " + "filling " * (n * 60)} for n in range(6)]
    parts = make_pipeline(
        documents, generation={"context_window": 1000, "max_tokens": 100}, retrieval={"top_k": 6, "minimum_score": 0}
    )
    history = [("user", "old " * 300), ("assistant", "old " * 300), ("user", "new"), ("assistant", "newer")]
    whole = await collect(answer(parts.pipeline, Question(QUESTION.text, history=history)))
    packed = whole.started.packed
    assert packed.passages
    assert packed.left_out
    assert len(packed.passages) + len(packed.left_out) == 6
    assert packed.history == history[2:]
    assert packed.turns_left_out == 2
    (request,) = parts.generator.requests
    assert {passage.text for passage in request.passages} <= {document["text"] for document in documents}
    assert estimate_message_tokens(build_messages(request)) <= 1000 - 100


async def test_whatever_is_packed_fits_into_the_window():
    sizes = random.Random(5)
    packed = 0
    for _ in range(60):
        documents = [{"document": f"{n}.md", "text": f"port {n} " + "word " * sizes.randint(1, 200)} for n in range(12)]
        parts = make_pipeline(
            documents,
            generation={"context_window": 1500, "max_tokens": 200},
            retrieval={"top_k": 12, "minimum_score": 0},
        )
        history = [("user", "word " * sizes.randint(1, 120)) for _ in range(5)]
        whole = await collect(answer(parts.pipeline, Question("port", history=history)))
        (request,) = parts.generator.requests
        tokens = estimate_message_tokens(build_messages(request))
        assert tokens <= 1500 - 200
        packed += len(request.history) * len(request.passages) * len(whole.started.packed.left_out)
    assert packed > 0


async def test_when_nothing_fits_it_is_an_error_that_says_so():
    parts = make_pipeline([{"document": "long.md", "text": "port service listen default " * 500}])
    with pytest.raises(QueryError, match="4096 tokens") as caught:
        await collect(answer(parts.pipeline, QUESTION))
    assert (caught.value.code, caught.value.status) == ("ContextTooLong", 400)
    assert parts.generator.requests == []


async def test_a_pipeline_that_only_retrieves_names_the_other_route():
    parts = make_pipeline(retrieve_only=True)
    with pytest.raises(QueryError, match="/v1/retrieve") as caught:
        await collect(answer(parts.pipeline, QUESTION))
    assert caught.value.code == "GenerationNotConfigured"


async def test_a_failing_model_is_a_failed_generation():
    parts = make_pipeline()
    parts.generator.error = ProviderError("The model is away; start it.", code="ModelNotFound", retryable=False)
    with pytest.raises(QueryError) as caught:
        await collect(answer(parts.pipeline, QUESTION))
    assert (caught.value.code, caught.value.reason, caught.value.retryable) == (
        "GenerationFailed",
        "ModelNotFound",
        False,
    )


async def test_closing_the_answer_closes_the_generator():
    parts = make_pipeline()
    parts.generator.hang_after = True
    async with aclosing(answer(parts.pipeline, QUESTION)) as events:
        async for event in events:
            if isinstance(event, AnswerPiece):
                break
        assert not parts.generator.closed.is_set()
    assert parts.generator.closed.is_set()


@pytest.mark.parametrize("written", [[], ["  "], ["The", " sources"]])
async def test_a_cut_answer_is_never_that_the_sources_do_not_say(written):
    parts = make_pipeline()
    parts.generator.write = lambda request: written
    parts.generator.finish_reason = "length"
    whole = await collect(answer(parts.pipeline, QUESTION))
    assert whole.text == "".join(written).strip()
    assert (whole.finished.answered, whole.finished.grounded, whole.finished.finish_reason) == (True, False, "length")


@pytest.mark.parametrize(
    ("written", "answered", "grounded"),
    [(["8080 [1]."], True, True), (["8080."], True, False), (["8080 [9]."], True, False), ([], False, False)],
)
async def test_an_answer_without_a_valid_mark_is_not_grounded(written, answered, grounded):
    parts = make_pipeline()
    parts.generator.write = lambda request: written
    finished = (await collect(answer(parts.pipeline, QUESTION))).finished
    assert (finished.answered, finished.grounded) == (answered, grounded)
