"""What a manifest refers to by name, read from the plain object so that it also works where the object has mistakes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lorekeeper_cli.documents import FieldPath
from lorekeeper_cli.manifests import Manifest

__all__ = ["Reference", "find_references"]

_REMOTE_PROVIDERS = frozenset({"Ollama", "OpenAI"})


@dataclass(frozen=True, slots=True)
class Reference:
    """One name in a manifest that something else has to provide."""

    kind: str
    """KnowledgeSource, ConfigMap, Secret or PersistentVolumeClaim."""
    name: str
    path: FieldPath
    """The field that holds the name."""
    key: str | None = None
    """Key that a Secret needs to have."""
    remote: bool = False
    """Whether it serves a remote part, which `--embedded` replaces."""


def find_references(manifest: Manifest) -> Iterator[Reference]:
    """Yield everything that an object refers to."""
    spec = _mapping(manifest.body.get("spec"))
    if manifest.kind == "RAGPipeline":
        yield from _pipeline_references(spec)
    elif manifest.kind == "KnowledgeSource":
        yield from _source_references(spec)


def _pipeline_references(spec: dict[str, Any]) -> Iterator[Reference]:
    sources = spec.get("sources")
    for place, source in enumerate(sources if isinstance(sources, list) else []):
        name = _mapping(source).get("name")
        if isinstance(name, str):
            yield Reference("KnowledgeSource", name, ("spec", "sources", place, "name"))
    for part in ("embedding", "generation"):
        model = _mapping(spec.get(part))
        yield from _credentials(
            model.get("credentials"), ("spec", part, "credentials"), remote=model.get("provider") in _REMOTE_PROVIDERS
        )
    external = _mapping(_mapping(spec.get("store")).get("external"))
    yield from _credentials(external.get("credentials"), ("spec", "store", "external", "credentials"), remote=True)


def _source_references(spec: dict[str, Any]) -> Iterator[Reference]:
    secret = _mapping(spec.get("git")).get("credentials")
    if isinstance(secret, str):
        yield Reference("Secret", secret, ("spec", "git", "credentials"), key="password")
    entries = _mapping(spec.get("configMap")).get("name")
    if isinstance(entries, str):
        yield Reference("ConfigMap", entries, ("spec", "configMap", "name"))
    claim = _mapping(spec.get("volume")).get("claimName")
    if isinstance(claim, str):
        yield Reference("PersistentVolumeClaim", claim, ("spec", "volume", "claimName"))


def _credentials(value: object, path: FieldPath, *, remote: bool) -> Iterator[Reference]:
    credentials = _mapping(value)
    name, key = credentials.get("name"), credentials.get("key", "api-key")
    if isinstance(name, str) and isinstance(key, str):
        yield Reference("Secret", name, (*path, "name"), key=key, remote=remote)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
