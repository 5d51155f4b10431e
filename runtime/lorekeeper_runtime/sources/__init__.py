"""Sources: where documents come from. A source lists what there is and fetches what is asked for."""

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.ports import Source

__all__ = ["open_source"]


def open_source(config: SourceConfig) -> Source:
    """Open the source that a configuration describes; nothing is listed yet.

    Raises:
        SourceError: It cannot be opened; the code says why (SourceNotFound, SourceUnauthorized, InvalidSource).
    """
    spec = config.spec
    match spec.kind:
        case "git":
            # Its library takes 0.2 s to import.
            from lorekeeper_runtime.sources.git import GitSource

            return GitSource(config)
        case "volume":
            from lorekeeper_runtime.sources.volume import VolumeSource

            return VolumeSource(config)
        case "configMap":
            from lorekeeper_runtime.sources.configmap import ConfigMapSource

            return ConfigMapSource(config)
        case "inline":
            from lorekeeper_runtime.sources.inline import InlineSource

            return InlineSource(config)
        case other:
            raise SourceError(
                f"Source {config.name} is of the kind {other}, which cannot be read: use git, volume, configMap or "
                "inline.",
                code="InvalidSource",
            )
