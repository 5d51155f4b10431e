"""One keep-alive pool to one upstream: how stores and models speak REST.

No SDK stands between: requests and replies are bytes, so that vectors and streamed tokens pass without being rebuilt.
Retries happen here and nowhere else, and only before the first byte of a reply.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

__all__ = ["HttpClient", "HttpError", "SecretFile", "UnreachableError"]

MAX_REPLY_BYTES = 256 * 1024 * 1024
RETRIED_STATUS = frozenset({429, 502, 503, 504})


class SecretFile:
    """A credential in a file; read again whenever the file changes, so that a rotation needs no restart."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._seen: tuple[int, int] | None = None
        self._value = ""

    def read(self) -> str:
        """Return the credential without surrounding white space.

        Raises:
            OSError: The file cannot be read.
        """
        stat = self._path.stat()
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            self._value = self._path.read_text(encoding="utf-8").strip()
            self._seen = seen
        return self._value


class HttpError(Exception):
    """The upstream answered with an error status. `body` is what it said: for the log, never for users."""

    def __init__(self, status: int, body: bytes, retry_after: float | None = None) -> None:
        super().__init__(f"status {status}: {body[:300].decode(errors='replace')}")
        self.status = status
        self.body = body
        self.retry_after = retry_after
        """Seconds that the upstream asks to wait."""


class UnreachableError(Exception):
    """The upstream did not answer: no connection, a broken one, or a time-out."""


def _may_retry(error: BaseException) -> bool:
    return isinstance(error, UnreachableError) or (isinstance(error, HttpError) and error.status in RETRIED_STATUS)


def _may_retry_stream(error: BaseException) -> bool:
    """Like `_may_retry`, but a stream that did not begin in time is not asked for again: the upstream is at work on it.

    A kept connection that the upstream has just closed is the usual reason to try again.
    """
    return _may_retry(error) and not isinstance(error.__cause__, TimeoutError)


class HttpClient:
    """A pool of connections to one upstream. Opened by the first request, inside the running event loop."""

    def __init__(
        self,
        url: str,
        *,
        secret: SecretFile | None = None,
        auth_header: str = "Authorization",
        auth_prefix: str = "Bearer ",
        timeout_seconds: float = 60.0,
        attempts: int = 3,
        connections: int = 64,
        tls: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._secret = secret
        self._more_headers = dict(headers or {})
        self._auth_header = auth_header
        self._auth_prefix = auth_prefix
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=10)
        self._stream_timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=timeout_seconds)
        self._attempts = attempts
        self._connections = connections
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry: bool = True,
    ) -> bytes:
        """Send one request and return the whole reply.

        Args:
            method: HTTP method.
            path: Path and query below the client's address.
            body: JSON, encoded.
            headers: Additional headers.
            retry: Whether the request may be sent again when the upstream is busy or away; True only for requests that
                change nothing when sent twice.

        Raises:
            HttpError: An error status, after retries.
            UnreachableError: No reply, after retries.
        """
        retrying = self._retry(self._attempts if retry else 1, retry_if_exception(_may_retry))
        content: bytes = await retrying(self._send, method, path, body, headers)
        return content

    async def get_json(self, path: str) -> Any:
        """GET a path and decode the reply."""
        return orjson.loads(await self.request("GET", path))

    async def post_json(self, path: str, body: object, *, retry: bool = True) -> Any:
        """POST an object and decode the reply."""
        return orjson.loads(await self.request("POST", path, orjson.dumps(body), retry=retry))

    @asynccontextmanager
    async def stream(self, path: str, body: bytes) -> AsyncIterator[aiohttp.StreamReader]:
        """POST and give the reply's body to read as it comes.

        Leaving the context before the end of the body closes the connection, which stops the work upstream; after the
        end it is kept. The time-out counts between two reads.

        Raises:
            HttpError: An error status.
            UnreachableError: No reply.
        """
        retrying = self._retry(self._attempts, retry_if_exception(_may_retry_stream))
        reply: aiohttp.ClientResponse = await retrying(self._start_stream, path, body)
        try:
            yield reply.content
            await _read_end(reply.content)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(f"{self.url}: {type(error).__name__}: {error}") from error
        finally:
            if reply.content.at_eof():
                reply.release()
            else:
                reply.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60, ssl=self._tls or True)
            # A compressed reply comes in pieces that meet a delayed acknowledgement: 44 ms instead of 4 at Qdrant.
            self._session = aiohttp.ClientSession(connector=connector, headers={"Accept-Encoding": "identity"})
        return self._session

    def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        headers = {"Content-Type": "application/json", **self._more_headers}
        if self._secret is not None:
            try:
                headers[self._auth_header] = self._auth_prefix + self._secret.read()
            except OSError as error:  # for the caller the same as a refused credential
                raise HttpError(401, b"the credentials file cannot be read") from error
        if more:
            headers.update(more)
        return headers

    def _retry(self, attempts: int, condition: retry_if_exception) -> AsyncRetrying:
        return AsyncRetrying(
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            retry=condition,
            reraise=True,
        )

    async def _start_stream(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        try:
            reply = await self._open().post(
                self.url + path, data=body, headers=self._headers(None), timeout=self._stream_timeout
            )
            if reply.status < 400:
                return reply
            async with reply:
                raise HttpError(reply.status, await reply.read(), _retry_after(reply))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(f"{self.url}: {type(error).__name__}: {error}") from error

    async def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None) -> bytes:
        session = self._open()
        try:
            async with session.request(
                method, self.url + path, data=body, headers=self._headers(headers), timeout=self._timeout
            ) as reply:
                if reply.content_length is not None and reply.content_length > MAX_REPLY_BYTES:
                    raise UnreachableError(f"{self.url}: the reply is larger than {MAX_REPLY_BYTES} bytes")
                content = await reply.read()
                if reply.status >= 400:
                    raise HttpError(reply.status, content, _retry_after(reply))
                return content
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(f"{self.url}: {type(error).__name__}: {error}") from error


def _retry_after(reply: aiohttp.ClientResponse) -> float | None:
    value = reply.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


async def _read_end(content: aiohttp.StreamReader) -> None:
    """Take the end of a body whose reader has seen all it wanted, so that the connection can serve the next request."""
    if content.at_eof():
        return
    try:
        async with asyncio.timeout(0.05):
            await content.readany()
    except TimeoutError:
        return  # more is to come: the connection is closed instead
