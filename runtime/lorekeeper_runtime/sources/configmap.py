"""The entries of a ConfigMap, as files in a folder: the way Kubernetes mounts one."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import DocumentError, SourceError
from lorekeeper_runtime.ports import ListedDocument, RawDocument
from lorekeeper_runtime.sources.files import document_id, max_document_bytes, path_of, read_file

__all__ = ["ConfigMapSource"]


class ConfigMapSource:
    """Documents are the entries of one ConfigMap; an entry's key is the document's id.

    Kubernetes puts the entries into a hidden folder and links to it by `..data`, which it replaces as a whole. Since a
    ConfigMap holds 1 MiB at most, entries are read to be listed, and the version is a hash: no restart changes it.

    Args:
        config: The source; its `mount` is the folder with the entries.

    Raises:
        SourceError: The configuration names no folder (code InvalidSource).
    """

    def __init__(self, config: SourceConfig) -> None:
        if config.mount is None:
            raise SourceError(
                f"No folder is given for the ConfigMap of source {config.name}: apply the ConfigMap with the source.",
                code="InvalidSource",
            )
        self._name = config.name
        self._mount = config.mount
        self._limit = max_document_bytes(config.spec)

    @property
    def revision(self) -> str:
        """Empty: a mounted ConfigMap does not tell its version."""
        return ""

    def list_documents(self) -> Iterator[ListedDocument]:
        """Yield the entries, sorted by key.

        Raises:
            SourceError: The folder is missing (code SourceNotFound) or cannot be read (SourceUnreadable).
        """
        root = os.path.realpath(self._mount)
        try:
            names = sorted(os.listdir(root))  # noqa: PTH208 - names that are not UTF-8 must stay strings
            for name in names:
                path = Path(root, name)
                if name.startswith("..") or not path.is_file():
                    continue
                content = read_file(root, str(path), 2**63)
                yield ListedDocument(
                    document_id(name), hashlib.blake2b(content, digest_size=16).hexdigest(), len(content)
                )
        except FileNotFoundError as error:
            raise SourceError(
                f"The ConfigMap of source {self._name} is not mounted at {self._mount}: create it or correct its name.",
                code="SourceNotFound",
            ) from error
        except (OSError, DocumentError) as error:
            raise SourceError(
                f"The ConfigMap of source {self._name} cannot be read: it may be changing just now, so sync again.",
                code="SourceUnreadable",
                retryable=True,
            ) from error

    def fetch(self, document: ListedDocument) -> RawDocument:
        """Read one entry.

        Raises:
            DocumentError: It is gone, too large or cannot be read; see `files.read_file`.
        """
        root = os.path.realpath(self._mount)
        return RawDocument(document.id, read_file(root, path_of(root, document.id), self._limit))

    def close(self) -> None:
        """Nothing is held open."""
