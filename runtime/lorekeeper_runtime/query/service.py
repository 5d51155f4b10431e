"""What the routes share: the pipelines by name, and the metrics of what they do."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from lorekeeper_runtime.query.answer import AnswerEvent, AnswerFinished, AnswerStarted, Question, answer
from lorekeeper_runtime.query.errors import invalid_request, pipeline_not_found
from lorekeeper_runtime.query.metrics import QueryMetrics
from lorekeeper_runtime.query.pipeline import Pipeline
from lorekeeper_runtime.query.retrieve import Retrieval, retrieve

__all__ = ["QueryService"]


class QueryService:
    """The pipelines of one application."""

    def __init__(self, pipelines: Mapping[str, Pipeline], metrics: QueryMetrics) -> None:
        self.pipelines = pipelines
        self.metrics = metrics

    def find(self, name: str | None, *, param: str) -> Pipeline:
        """Return a pipeline by name; without a name the only one there is.

        Args:
            name: What the request names.
            param: Field that it names it in.

        Raises:
            QueryError: PipelineNotFound, or InvalidRequest when the name is missing and there are several.
        """
        if name is None:
            if len(self.pipelines) != 1:
                raise invalid_request(
                    f"The field '{param}' is missing; name one of the pipelines of GET /v1/models.", param=param
                )
            return next(iter(self.pipelines.values()))
        pipeline = self.pipelines.get(name)
        if pipeline is None:
            raise pipeline_not_found(name, param=param)
        return pipeline

    async def retrieve(self, pipeline: Pipeline, question: Question) -> Retrieval:
        """Find passages; see `retrieve.retrieve`."""
        retrieval = await retrieve(pipeline, question.text, top_k=question.top_k, minimum_score=question.minimum_score)
        self.metrics.count_retrieval(pipeline.name, retrieval)
        return retrieval

    async def answer(self, pipeline: Pipeline, question: Question) -> AsyncGenerator[AnswerEvent]:
        """Answer a question event by event; see `answer.answer`."""
        async with aclosing(answer(pipeline, question)) as events:
            async for event in events:
                if isinstance(event, AnswerStarted):
                    self.metrics.count_retrieval(pipeline.name, event.retrieval)
                elif isinstance(event, AnswerFinished):
                    self.metrics.count_answer(pipeline.name, event)
                yield event
