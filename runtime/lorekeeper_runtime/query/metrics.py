"""What Prometheus reads. Every application has a registry of its own."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from lorekeeper_runtime.query.answer import AnswerFinished
from lorekeeper_runtime.query.retrieve import Retrieval

__all__ = ["QueryMetrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class QueryMetrics:
    """The metrics of one application. Labels hold names from the configuration, never what a client wrote."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "lorekeeper_query_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "lorekeeper_query_request_seconds",
            "Time from a request's first byte to the last byte of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "lorekeeper_query_stage_seconds",
            "Time of one stage of a question: embed, search, first_token, generate.",
            ["pipeline", "stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge("lorekeeper_query_in_flight", "Requests being answered.", registry=registry)
        self._answers = Counter(
            "lorekeeper_query_answers",
            "Answers by outcome: grounded in a passage that they name, uncited, or abstained.",
            ["pipeline", "outcome"],
            registry=registry,
        )
        self._abstentions = Counter(
            "lorekeeper_query_abstentions",
            "Questions that the sources do not answer, by who found so: retrieval or model.",
            ["pipeline", "by"],
            registry=registry,
        )
        self._tokens = Counter(
            "lorekeeper_query_tokens", "Tokens that the model counted.", ["pipeline", "kind"], registry=registry
        )
        self._removed = Counter(
            "lorekeeper_query_removed_marks",
            "Citations of the model's that named no passage and were taken out.",
            ["pipeline"],
            registry=registry,
        )
        self._best = Histogram(
            "lorekeeper_query_best_score",
            "Cosine of the passage nearest to a question.",
            ["pipeline"],
            buckets=_SCORES,
            registry=registry,
        )

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the template of its path."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_retrieval(self, pipeline: str, retrieval: Retrieval) -> None:
        """Count a search."""
        self._observe(pipeline, retrieval.seconds)
        if retrieval.best_cosine is not None:
            self._best.labels(pipeline).observe(retrieval.best_cosine)

    def count_answer(self, pipeline: str, finished: AnswerFinished) -> None:
        """Count an answer that came to its end."""
        self._observe(pipeline, finished.seconds)
        self._tokens.labels(pipeline, "prompt").inc(finished.prompt_tokens)
        self._tokens.labels(pipeline, "completion").inc(finished.completion_tokens)
        self._removed.labels(pipeline).inc(finished.removed_marks)
        outcome = ("grounded" if finished.grounded else "uncited") if finished.answered else "abstained"
        self._answers.labels(pipeline, outcome).inc()
        if not finished.answered:
            self._abstentions.labels(pipeline, "model" if finished.asked_model else "retrieval").inc()

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _observe(self, pipeline: str, seconds: Mapping[str, float]) -> None:
        for stage, value in seconds.items():
            self._stages.labels(pipeline, stage).observe(value)
