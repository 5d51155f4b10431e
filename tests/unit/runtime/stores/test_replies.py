import orjson
import pytest

from lorekeeper_runtime.http import HttpError, UnreachableError
from lorekeeper_runtime.stores.replies import explain


def reply(text: str) -> bytes:
    return orjson.dumps({"status": {"error": f"{text} s3cret"}, "time": 0.0})


@pytest.mark.parametrize(
    ("status", "body", "code", "retryable"),
    [
        (400, reply("Wrong input: Not existing vector name error: dense-1"), "RevisionChanged", True),
        (400, reply("Wrong input: Vector dimension error: expected dim: 4, got 2"), "DimensionMismatch", False),
        (400, reply("Bad request: something else"), "VectorSearchFailed", False),
        (401, b"Invalid API key or JWT s3cret", "StoreUnauthorized", False),
        (401, b"", "StoreUnauthorized", False),
        (403, reply("Forbidden: Global access is required"), "StoreUnauthorized", False),
        (403, reply("Storage locked: Write operations are forbidden"), "StoreReadOnly", False),
        (404, reply("Not found: Collection `ns.p` doesn't exist!"), "CollectionMissing", False),
        (404, b"<html>s3cret</html>", "CollectionMissing", False),
        (413, b"JSON payload is larger than allowed s3cret", "StoreRequestTooLarge", False),
        (429, reply("Rate limiting exceeded"), "StoreBusy", True),
        (500, reply("Service internal error: No space left on device: WAL buffer size"), "StoreFull", True),
        (500, reply("Service internal error: Read-only file system (os error 30)"), "StoreReadOnly", False),
        (500, reply("Service internal error: panic"), "VectorSearchFailed", True),
        (502, b"[1, 2]", "VectorSearchFailed", True),
        (503, b'{"status": "already in progress"}', "VectorSearchFailed", True),
        (507, reply("Insufficient storage: quota"), "StoreFull", True),
    ],
)
def test_what_a_reply_means(status: int, body: bytes, code: str, retryable: bool) -> None:
    error = explain(HttpError(status, body), "ns.p")
    assert (error.code, error.retryable) == (code, retryable)
    assert "s3cret" not in error.message
    assert error.message.endswith(".")


def test_no_reply() -> None:
    error = explain(UnreachableError("http://user:s3cret@host: refused"))
    assert (error.code, error.retryable) == ("StoreUnreachable", True)
    assert "s3cret" not in error.message
