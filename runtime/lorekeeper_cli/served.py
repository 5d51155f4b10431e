"""What a server serves, in a form that a second command compares with the manifests it was given."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lorekeeper_api.contract.config import RuntimeConfig
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_cli.resolve import DeclaredPipeline
from lorekeeper_runtime.stores.lock import LockHolder, StoreLockedError

__all__ = ["PipelinesHeldError", "Served", "describe_configs", "describe_declared"]

Served = dict[str, dict[str, str]]
"""By the name of a pipeline: a hash of each of its sources, by the source's name."""


class PipelinesHeldError(StoreLockedError):
    """Another process holds the home that pipelines were to be opened in."""

    def __init__(self, holder: LockHolder, declared: Served) -> None:
        super().__init__(holder)
        self.declared = declared
        """What the manifests of this command declare."""


def describe_declared(declared: Sequence[DeclaredPipeline]) -> Served:
    """Describe what manifests declare."""
    return {pipeline.name: _describe(pipeline.sources.items(), pipeline.places.volume_folder) for pipeline in declared}


def describe_configs(configs: Iterable[RuntimeConfig]) -> Served:
    """Describe what is open."""
    served: Served = {}
    for config in configs:
        mounts: Mapping[str, str] = {
            source.spec.volume.claim_name: source.mount
            for source in config.sources
            if source.spec.volume is not None and source.mount is not None
        }
        served[config.pipeline] = _describe(
            ((source.name, source.spec) for source in config.sources), mounts.__getitem__
        )
    return served


def _describe(sources: Iterable[tuple[str, KnowledgeSourceSpec]], find_folder: Callable[[str], str]) -> dict[str, str]:
    return {name: _hash(spec, find_folder) for name, spec in sources}


def _hash(spec: KnowledgeSourceSpec, find_folder: Callable[[str], str]) -> str:
    # Two commands may give the same claim different folders: the resource alone does not say what is taken in.
    folder = str(Path(find_folder(spec.volume.claim_name)).resolve()) if spec.volume is not None else ""
    text = f"{spec.model_dump_json()}\0{folder}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
