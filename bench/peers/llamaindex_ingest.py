"""LlamaIndex: IngestionPipeline with SentenceSplitter, a document store with UPSERTS, and QdrantVectorStore."""

from typing import Any

from llama_index.core import Document
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.vector_stores.qdrant import QdrantVectorStore
from measured import Clock, read_arguments, read_files
from pydantic import PrivateAttr
from qdrant_client import QdrantClient
from stub_embedding import StubClient

BATCH = 64


class StubEmbedding(BaseEmbedding):
    _client: StubClient = PrivateAttr()

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(embed_batch_size=BATCH, **options)
        self._client = StubClient(url)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._client.embed(texts)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._client.embed([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._client.embed([query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def main() -> None:
    arguments = read_arguments()
    clock = Clock()
    files = read_files(arguments["folder"])
    client = QdrantClient(url=arguments["qdrant"])
    pipeline = IngestionPipeline(
        transformations=[
            SentenceSplitter(chunk_size=int(arguments["size"]), chunk_overlap=int(arguments["overlap"])),
            StubEmbedding(arguments["models"]),
        ],
        vector_store=QdrantVectorStore(client=client, collection_name="llamaindex", batch_size=BATCH),
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS,
    )
    nodes = pipeline.run(documents=[Document(text=text, id_=path) for path, text in files])
    clock.report(
        documents=len(files),
        chunks=len(nodes),
        size=sum(len(text.encode()) for _, text in files),
        packages=("llama-index-core", "llama-index-vector-stores-qdrant", "qdrant-client"),
    )


main()
