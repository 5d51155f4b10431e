"""Documents written into the resource itself."""

import hashlib
from collections.abc import Iterator

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_api.source import InlineDocument
from lorekeeper_runtime.errors import DocumentError, SourceError
from lorekeeper_runtime.ports import ListedDocument, RawDocument
from lorekeeper_runtime.sources.files import max_document_bytes, too_large

__all__ = ["InlineSource"]


class InlineSource:
    """Documents are texts of the resource; a document's path is its id.

    Args:
        config: The source.

    Raises:
        SourceError: Two documents have the same path (code InvalidSource).
    """

    def __init__(self, config: SourceConfig) -> None:
        documents = config.spec.inline.documents if config.spec.inline else []
        self._documents: dict[str, InlineDocument] = {}
        for document in documents:
            if document.path in self._documents:
                raise SourceError(
                    f"Source {config.name} has two documents with the path {document.path!r}: give each its own.",
                    code="InvalidSource",
                )
            self._documents[document.path] = document
        self._limit = max_document_bytes(config.spec)

    @property
    def revision(self) -> str:
        """Empty: the resource's generation is not known here."""
        return ""

    def list_documents(self) -> Iterator[ListedDocument]:
        """Yield the documents, sorted by path; the version is a hash of the text."""
        for path in sorted(self._documents):
            document = self._documents[path]
            content = document.text.encode("utf-8", "surrogatepass")
            version = hashlib.blake2b(content, digest_size=16).hexdigest()
            yield ListedDocument(path, version, len(content), document.link or "")

    def fetch(self, document: ListedDocument) -> RawDocument:
        """Return the text of one document.

        Raises:
            DocumentError: It is not in the resource (code Vanished), or over the limit (TooLarge).
        """
        found = self._documents.get(document.id)
        if found is None:
            raise DocumentError(
                "The document is not in the resource any more: the next sync takes it out.", code="Vanished"
            )
        content = found.text.encode("utf-8", "surrogatepass")
        if len(content) > self._limit:
            raise too_large(len(content), self._limit)
        return RawDocument(document.id, content)

    def close(self) -> None:
        """Nothing is held open."""
