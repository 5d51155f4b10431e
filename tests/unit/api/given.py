"""Manifests that the tests of the API share: the bad specs with their table, and the examples of the repository."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lorekeeper_api.names import API_VERSION

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


def load_examples() -> list[dict[str, Any]]:
    files = sorted((ROOT / "examples").rglob("*.yaml"))
    documents = [document for file in files for document in yaml.safe_load_all(file.read_text())]
    return [found for found in documents if isinstance(found, dict) and found.get("apiVersion") == API_VERSION]
