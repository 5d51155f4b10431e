from typing import Any

import pytest
import yaml

from lorekeeper_api.validation import Mistake, format_path, validate_resource

SOURCE = {
    "apiVersion": "lorekeeper.dev/v1alpha1",
    "kind": "KnowledgeSource",
    "metadata": {"name": "handbook"},
    "spec": {"configMap": {"name": "handbook"}},
}


def lines(resource: dict[str, Any]) -> list[str]:
    return [mistake.line for mistake in validate_resource(resource)]


def test_all_mistakes_are_told_at_once() -> None:
    resource = yaml.safe_load("""
        apiVersion: lorekeeper.dev/v1alpha1
        kind: RAGPipeline
        metadata: {name: support, labels: {tier: 1}}
        spec:
          sources: [handbook, {name: faq}]
          embeding: {}
          generation: {providr: Ollama, model: 1.0, temperature: "0.1"}
          chunking: {size: 500, overlap: 500}
          retrieval: {topK: 60, fusion: {weights: {dense: 0, sparse: 0}}}
          store: {managed: {}, external: {url: "https://a:b@c"}}
    """)
    assert {mistake.path for mistake in validate_resource(resource)} == {
        ("metadata", "labels", "tier"),
        ("spec", "sources", 0),
        ("spec", "embeding"),
        ("spec", "generation", "providr"),
        ("spec", "generation", "model"),
        ("spec", "generation", "temperature"),
        ("spec", "chunking", "overlap"),
        ("spec", "retrieval", "topK"),
        ("spec", "retrieval", "fusion", "weights"),
        ("spec", "store"),
        ("spec", "store", "external", "url"),
    }


def test_a_status_that_was_copied_along_is_left_out() -> None:
    assert lines({**SOURCE, "status": {"anything": 1}}) == []


def test_metadata_of_a_cluster_is_taken() -> None:
    metadata = {
        "name": "handbook",
        "uid": "1",
        "resourceVersion": "2",
        "generation": 3,
        "managedFields": [{"manager": "kubectl"}],
        "creationTimestamp": None,
    }
    assert lines({**SOURCE, "metadata": metadata}) == []


def test_null_counts_as_absent() -> None:
    assert lines({**SOURCE, "spec": {"configMap": {"name": "a"}, "schedule": None, "guard": None, "git": None}}) == []
    assert lines({**SOURCE, "spec": None}) == ["spec: is required"]


def test_a_date_is_the_text_that_was_written() -> None:
    spec = yaml.safe_load("git: {url: 'https://git.example.com/a.git', ref: 2026-03-14}")
    assert lines({**SOURCE, "spec": spec}) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"kind": "KnowledgeSorce"},
            "kind: must be one of `RAGPipeline`, `KnowledgeSource`; did you mean `KnowledgeSource`?",
        ),
        ({"kind": None}, "kind: must be one of `RAGPipeline`, `KnowledgeSource`"),
        ({"apiVersion": "lorekeeper.dev/v1"}, "apiVersion: must be `lorekeeper.dev/v1alpha1`"),
        ({"metadata": {}}, "metadata.name: is required"),
        ({"metadata": {"name": 7}}, "metadata.name: must be text: put quotes around it"),
        ({"metadata": []}, "metadata: must be a mapping of fields: `name`"),
        ({"extra": 1}, "extra: unknown field `extra`"),
        ({"spec": []}, "spec: must be a mapping of fields: `git`, `volume`, `configMap`, `inline`"),
        ({"spec": {"inline": {"documents": []}}}, "spec.inline.documents: must not be empty"),
        (
            {"spec": {"guard": {"maxDeletedPercent": float("nan")}}},
            "spec.guard.maxDeletedPercent: must be a finite number",
        ),
        ({"spec": {True: 1}}, "spec.True: the name of a field must be text: put quotes around it"),
        (
            {"spec": {"inline": {"documents": [{"path": "a.md", "text": ["a"]}]}}},
            "spec.inline.documents[0].text: must be text: put quotes around it",
        ),
        (
            {"spec": {"configMap": {"name": "a"}, "limits": {"chunks": 1.5}}},
            "spec.limits.chunks: must be a whole number",
        ),
        ({"spec": {"configMap": {"name": "a" * 300}}}, "spec.configMap.name: must have at most 253 characters"),
        (
            {"spec": {"configMap": {"name": "a"}, "config_map": {"name": "a"}}},
            "spec.config_map: unknown field `config_map`; did you mean `configMap`?",
        ),
    ],
)
def test_says(change: dict[str, Any], line: str) -> None:
    assert lines({**SOURCE, **change}) == [line]


def test_a_manifest_of_two_mistakes_in_identity_says_both() -> None:
    assert [mistake.path for mistake in validate_resource({"spec": {}})] == [("apiVersion",), ("kind",)]


def test_no_value_is_repeated() -> None:
    # A key that was put into a wrong field must not reach a log.
    secret = "sk-very-secret"
    for spec in (
        {"git": {"url": f"https://x:{secret}@git.example.com/a.git", "credentials": {"password": secret}}},
        {
            "git": {"url": secret, "ref": f"{secret}..x", "credentials": f"{secret}!"},
            "schedule": secret,
            "suspend": secret,
        },
        {"volume": {"claimName": f"_{secret}", "path": f"/{secret}", "include": secret}},
    ):
        found = lines({**SOURCE, "spec": spec})
        assert found
        assert secret not in str(found)


def test_paths_are_written_as_people_do() -> None:
    assert format_path(("spec", "sources", 0, "name")) == "spec.sources[0].name"
    assert Mistake((), "is empty").line == "manifest: is empty"
