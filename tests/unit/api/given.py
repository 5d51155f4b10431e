"""Manifests that the tests of the API share: the bad specs with their table, and the examples of the repository."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from lorekeeper_api.names import API_VERSION, Kind

ROOT = Path(__file__).parents[3]
BADSPECS = ROOT / "tests" / "badspecs"


@dataclass
class BadSpec:
    file: str
    resource: dict[str, Any]
    check: list[str]
    server: dict[str, Any] = field(default_factory=dict)

    @property
    def is_rule(self) -> bool:
        """Whether the server says a rule's message, and not words of its own."""
        own = ("Required value", "should ", "must be of type", "Unsupported value", "unknown field")
        return bool(self.server) and not self.server["says"].startswith(own)

    def is_said_by(self, message: str) -> bool:
        """Whether a message of the server is the one that the table expects."""
        says: str = self.server["says"]
        return message.endswith(says) if self.is_rule else says in message

    @override
    def __str__(self) -> str:
        return self.file


def load_badspecs() -> list[BadSpec]:
    rows = yaml.safe_load((BADSPECS / "table.yaml").read_text())
    return [
        BadSpec(
            row["file"], yaml.safe_load((BADSPECS / row["file"]).read_text()), row["check"], row.get("server") or {}
        )
        for row in rows
    ]


EXTERNAL = {"external": {"url": "https://a"}}
STORE_CHANGES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    ({}, {"managed": {}}, True),
    ({"managed": {}}, {}, True),
    (EXTERNAL, EXTERNAL, True),
    (EXTERNAL, {"external": {"url": "https://a", "credentials": {"name": "a"}}}, True),
    (EXTERNAL, {"external": {"url": "https://b"}}, False),
    (EXTERNAL, {"managed": {}}, False),
    (EXTERNAL, {}, False),
    ({}, EXTERNAL, False),
    ({"managed": {}}, EXTERNAL, False),
]
"""`spec.store` before and after a change, and whether the change is allowed."""


PIPELINE: dict[str, Any] = {
    "sources": [{"name": "a"}],
    "embedding": {"provider": "Ollama", "model": "m"},
    "generation": {"provider": "Ollama", "model": "m"},
}
SOURCE: dict[str, Any] = {"configMap": {"name": "a"}}
CREDENTIALS = {"name": "a"}

BROKEN_BY_HAND: list[tuple[str, dict[str, Any]]] = [
    ("must not contain `..`", {**PIPELINE, "embedding": {"provider": "Ollama", "model": "a/../b"}}),
    (
        "a model inside the process asks for no key: remove `credentials`, or choose the provider Ollama or OpenAI",
        {
            **PIPELINE,
            "embedding": {"provider": "Embedded", "model": "all-minilm-l6-v2", "credentials": CREDENTIALS},
        },
    ),
    (
        (
            "OpenAI's own service needs an API key: name its Secret under `credentials`, or give the `endpoint` of "
            "another server"
        ),
        {**PIPELINE, "embedding": {"provider": "OpenAI", "model": "text-embedding-3-small"}},
    ),
    (
        (
            "Embedded and Extractive work inside the process and have no address: remove `endpoint`, or choose the "
            "provider Ollama or OpenAI"
        ),
        {**PIPELINE, "generation": {"provider": "Extractive", "endpoint": "http://a"}},
    ),
    (
        (
            "Embedded and Extractive work inside the process and ask for no key: remove `credentials`, or choose the "
            "provider Ollama or OpenAI"
        ),
        {**PIPELINE, "generation": {"provider": "Embedded", "model": "m", "credentials": CREDENTIALS}},
    ),
    (
        "a repository on the same machine asks for no password: remove `credentials`",
        {"git": {"url": "file:///srv/docs", "credentials": "git"}},
    ),
    ("must be a branch, a tag or a full commit id", {"git": {"url": "https://a/b", "ref": "--upload-pack=x"}}),
    (
        "must be a relative path such as `guides/start.md`, without `..`, `.`, `//` or `\\`",
        {"inline": {"documents": [{"path": "../a.md", "text": "a"}]}},
    ),
    (
        "the name of a KnowledgeSource has at most 63 characters: it is the value of a label",
        {"name": "a" * 64, **SOURCE},
    ),
]
"""Rules that no bad spec breaks: the message, and a spec that breaks that rule alone; `name` is the resource's."""

JUST_RIGHT: list[dict[str, Any]] = [
    {**PIPELINE, "retrieval": {"topK": 10, "candidates": 10}},
    {**PIPELINE, "chunking": {"size": 100, "overlap": 99}},
    {**PIPELINE, "generation": {"provider": "Ollama", "model": "m", "maxTokens": 511, "contextWindow": 512}},
    {**PIPELINE, "retrieval": {"fusion": {"weights": {"dense": 0, "sparse": 0.1}}}},
    {**PIPELINE, "retrieval": {"fusion": {"weights": {"dense": 1, "sparse": 0}}}},
    {**PIPELINE, "retrieval": {"mode": "Dense", "minimumScore": 0}},
    {**PIPELINE, "generation": {"provider": "Extractive", "temperature": 0}},
    {**PIPELINE, "generation": {"provider": "OpenAI", "model": "m", "endpoint": "http://[::1]:8000/v1?a=@b"}},
    {**PIPELINE, "name": "a" * 40},
    {**SOURCE, "name": "a.b" * 21},
    {**SOURCE, "linkPrefix": "https://docs.example.com/?file="},
    {"git": {"url": "file:///srv/docs", "ref": "refs/tags/v1.0", "include": ["/docs/", "{a,b}/**/*.md"]}},
    {"git": {"url": "http://git.svc:3000/a/b.git", "credentials": "git", "path": "..docs/.hidden/a..b"}},
    {**SOURCE, "schedule": "0 0 1-31 JAN-dec 0-7", "limits": {"documentSize": "1"}},
]
"""Specs at the edge of what is allowed."""


def build_resource(spec: dict[str, Any]) -> dict[str, Any]:
    """A resource of the kind that a spec is of; `name` in the spec is the name."""
    kind = Kind.PIPELINE if "sources" in spec else Kind.SOURCE
    rest = {field: value for field, value in spec.items() if field != "name"}
    return {"apiVersion": API_VERSION, "kind": kind.value, "metadata": {"name": spec.get("name", "a")}, "spec": rest}


def load_examples() -> list[dict[str, Any]]:
    files = sorted((ROOT / "examples").rglob("*.yaml"))
    documents = [document for file in files for document in yaml.safe_load_all(file.read_text())]
    return [found for found in documents if isinstance(found, dict) and found.get("apiVersion") == API_VERSION]
