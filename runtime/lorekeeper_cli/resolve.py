"""From manifests to one configuration a pipeline."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from lorekeeper_api.contract.build import CLUSTER_ONLY_FIELDS, build_config, build_embedding
from lorekeeper_api.contract.config import RuntimeConfig
from lorekeeper_api.pipeline import RAGPipelineSpec, RetrievalMode
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_cli.embedded import replace_remote
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.given import Given
from lorekeeper_cli.manifests import Manifest, Manifests, format_path
from lorekeeper_cli.ollama_host import DEFAULT_OLLAMA, parse_ollama_host
from lorekeeper_cli.places import LocalPlaces
from lorekeeper_runtime.errors import ProviderError

__all__ = ["DeclaredPipeline", "cluster_only_fields", "declare_pipelines", "name_embedded", "resolve_config"]


@dataclass(frozen=True, slots=True)
class DeclaredPipeline:
    """A pipeline of the manifests with what it names."""

    name: str
    namespace: str
    spec: RAGPipelineSpec
    sources: dict[str, KnowledgeSourceSpec]
    places: LocalPlaces
    replaced: list[str] = field(default_factory=list)
    """A sentence for each remote part that `--embedded` replaced."""


def declare_pipelines(
    manifests: Manifests, given: Given, *, home: Path, folder: Path, embedded: bool
) -> list[DeclaredPipeline]:
    """Read the pipelines of manifests that were checked.

    Args:
        manifests: Without mistakes.
        given: Secrets and volumes of the command line.
        home: The folder `.lorekeeper`.
        folder: Private folder for Secrets and ConfigMaps.
        embedded: Whether remote parts are replaced.

    Raises:
        CommandError: There is no pipeline, or OLLAMA_HOST cannot be understood.
    """
    pipelines = manifests.of_kind("RAGPipeline")
    if not pipelines:
        raise CommandError("The files hold no RAGPipeline: add the file that declares one with -f.")
    try:
        ollama = parse_ollama_host(os.environ.get("OLLAMA_HOST", DEFAULT_OLLAMA))
    except ValueError as error:
        raise CommandError(f"The environment variable OLLAMA_HOST cannot be understood: {error}.") from error
    declared = []
    for manifest in pipelines:
        places = LocalPlaces(
            manifests=manifests, namespace=manifest.namespace, given=given, home=home, folder=folder, ollama=ollama
        )
        places.model_folder = manifest.folder
        declared.append(_declare(manifest, manifests, places, embedded=embedded))
    return declared


def _declare(manifest: Manifest, manifests: Manifests, places: LocalPlaces, *, embedded: bool) -> DeclaredPipeline:
    spec = RAGPipelineSpec.model_validate(manifest.body["spec"])
    replaced: list[str] = []
    if embedded:
        spec, replaced = replace_remote(spec)
    sources = {}
    for reference in spec.sources:
        source = manifests.find("KnowledgeSource", manifest.namespace, reference.name)
        if source is None:
            raise CommandError(f"The KnowledgeSource {reference.name} is not in the files: add its file with -f.")
        sources[reference.name] = KnowledgeSourceSpec.model_validate(source.body["spec"])
    return DeclaredPipeline(manifest.name, manifest.namespace, spec, sources, places, replaced)


async def resolve_config(declared: DeclaredPipeline) -> RuntimeConfig:
    """Ask the embedding's provider and return the pipeline's configuration.

    Raises:
        ProviderError: The provider does not answer; the message names `--embedded`.
    """
    from lorekeeper_runtime.wiring import resolve_embedding

    embedding = build_embedding(declared.spec, declared.places)
    if declared.spec.retrieval.mode is not RetrievalMode.SPARSE:
        try:
            embedding = await resolve_embedding(embedding)
        except ProviderError as error:
            raise name_embedded(error) from error
    return build_config(
        namespace=declared.namespace,
        name=declared.name,
        spec=declared.spec,
        sources=declared.sources,
        embedding=embedding,
        places=declared.places,
    )


def name_embedded(error: ProviderError) -> ProviderError:
    """The same error with the way out that a laptop has."""
    if "--embedded" in error.message:
        return error
    message = f"{error.message.rstrip('.')}. To do without remote parts add --embedded."
    return ProviderError(message, code=error.code, retryable=error.retryable)


def cluster_only_fields(manifests: Manifests) -> list[str]:
    """Fields that the manifests set and that mean nothing on a laptop, as `Kind/name: field`."""
    found = []
    for manifest in manifests.items:
        for path in CLUSTER_ONLY_FIELDS.get(manifest.kind, ()):
            value: object = manifest.body.get("spec")
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                found.append(f"{manifest.kind}/{manifest.name}: spec.{format_path(path)}")
    return found
