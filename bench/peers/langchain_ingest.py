"""LangChain: RecursiveCharacterTextSplitter and QdrantVectorStore.add_documents, in batches of 64."""

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter
from measured import Clock, read_arguments, read_files
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, VectorParams
from stub_embedding import MODEL, StubClient

arguments = read_arguments()
if arguments["embedding"] != "lean":
    from langchain_openai import OpenAIEmbeddings

DIMENSIONS = 384
BATCH = 64


class StubEmbeddings(Embeddings):
    def __init__(self, url: str) -> None:
        self._client = StubClient(url)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._client.embed(texts)

    def embed_query(self, text: str) -> list[float]:
        return self._client.embed([text])[0]


def main() -> None:
    clock = Clock()
    files = read_files(arguments["folder"])
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=int(arguments["size"]), chunk_overlap=int(arguments["overlap"])
    )
    if arguments["embedding"] != "lean":
        embedding = OpenAIEmbeddings(
            model=MODEL,
            base_url=arguments["models"] + "/v1",
            api_key="bench",
            chunk_size=BATCH,
            check_embedding_ctx_length=arguments["embedding"] == "default",  # its default: texts are tokenized first
        )
    else:
        embedding = StubEmbeddings(arguments["models"])
    client = QdrantClient(url=arguments["qdrant"])
    client.create_collection("langchain", vectors_config=VectorParams(size=DIMENSIONS, distance=Distance.COSINE))
    store = QdrantVectorStore(client=client, collection_name="langchain", embedding=embedding)
    documents = [Document(page_content=text, metadata={"source": path}) for path, text in files]
    chunks = splitter.split_documents(documents)
    for start in range(0, len(chunks), BATCH):
        store.add_documents(chunks[start : start + BATCH])
    clock.report(
        documents=len(files),
        chunks=len(chunks),
        size=sum(len(text.encode()) for _, text in files),
        packages=(
            "langchain-core",
            "langchain-text-splitters",
            "langchain-qdrant",
            "langchain-openai",
            "qdrant-client",
        ),
    )


main()
