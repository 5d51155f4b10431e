from typing import Any

import pytest

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import DocumentError, SourceError
from lorekeeper_runtime.ports import ListedDocument
from lorekeeper_runtime.sources.inline import InlineSource


def _source(*documents: dict[str, Any]) -> InlineSource:
    return InlineSource(
        SourceConfig.model_validate({"name": "faq", "spec": {"inline": {"documents": list(documents)}}})
    )


def test_links_are_those_of_the_resource() -> None:
    source = _source({"path": "b.md", "text": "b", "link": "https://example.com/b"}, {"path": "a.md", "text": "a"})
    assert [(document.id, document.link) for document in source.list_documents()] == [
        ("a.md", ""),
        ("b.md", "https://example.com/b"),
    ]
    assert source.revision == ""


def test_two_documents_with_one_path_are_refused() -> None:
    with pytest.raises(SourceError) as caught:
        _source({"path": "a.md", "text": "a"}, {"path": "a.md", "text": "b"})
    assert caught.value.code == "InvalidSource"
    assert "'a.md'" in caught.value.message


def test_a_document_that_is_gone() -> None:
    with pytest.raises(DocumentError) as caught:
        _source({"path": "a.md", "text": "a"}).fetch(ListedDocument("b.md", "", 0))
    assert caught.value.code == "Vanished"
