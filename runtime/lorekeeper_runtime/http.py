"""One keep-alive pool to one upstream: how stores and models speak REST.

No SDK stands between: requests and replies are bytes, so that vectors and streamed tokens pass without being rebuilt.
Retries happen here and nowhere else, and only before the first byte of a reply.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential
from typing_extensions import override

__all__ = ["HttpClient", "HttpError", "Pieces", "SecretFile", "UnreachableError", "wait_for"]

T = TypeVar("T")

Pieces = Sequence[bytes]
"""A body in pieces, which are sent one after the other without being joined."""

MAX_REPLY_BYTES = 256 * 1024 * 1024
LONGEST_WAIT_SECONDS = 5.0
RETRIED_STATUS = frozenset({429, 502, 503, 504})


_BACK_OFF = wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT_SECONDS)


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
    """The upstream answered with an error status, or sent the request elsewhere.

    `body` is what it said: for the log, never for users.
    """

    def __init__(self, status: int, body: bytes, retry_after: float | None = None) -> None:
        super().__init__(f"status {status}: {body[:300].decode(errors='replace')}")
        self.status = status
        self.body = body
        self.retry_after = retry_after
        """Seconds that the upstream asks to wait."""


class UnreachableError(Exception):
    """The upstream did not answer: no connection, a broken one, or a time-out."""


class _PiecesPayload(aiohttp.Payload):
    """Hands the pieces of a body to the transport as they are.

    A body of bytes is copied twice on its way: when it is joined, and when aiohttp puts it behind the headers. That
    counts for the 40 MB of 7,400 chunks.
    """

    _autoclose = True

    def __init__(self, pieces: Pieces) -> None:
        super().__init__(pieces, content_type="application/json")
        self._pieces = pieces
        self._size = sum(map(len, pieces))

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._pieces).decode(encoding, errors)

    @override
    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    @override
    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        writer.send_headers()
        transport = writer.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the connection was closed before the body was sent")
        transport.writelines(self._pieces)


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
        body: bytes | Pieces | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry: bool = True,
    ) -> bytes:
        """Send one request and return the whole reply.

        Args:
            method: HTTP method.
            path: Path and query below the client's address.
            body: JSON, encoded, in one piece or in several.
            headers: Additional headers.
            retry: Whether the request may be sent again when the upstream is busy or away; True only for requests that
                change nothing when sent twice.

        Raises:
            HttpError: An error status, after retries.
            UnreachableError: No reply, after retries.
        """
        return await self._retry(
            lambda: self._send(method, path, body, headers), _may_retry, self._attempts if retry else 1
        )

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
        reply = await self._retry(lambda: self._start_stream(path, body), _may_retry_stream, self._attempts)
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
            self._session = aiohttp.ClientSession(
                connector=connector, headers={"Accept-Encoding": "identity"}, cookie_jar=aiohttp.DummyCookieJar()
            )
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

    async def _retry(
        self, send: Callable[[], Awaitable[T]], condition: Callable[[BaseException], bool], attempts: int
    ) -> T:
        """Send once, and let tenacity take over when that fails: to ask it first shows in
        the profile of every request.
        """
        try:
            return await send()
        except (HttpError, UnreachableError) as error:
            if attempts < 2 or not condition(error):
                raise
            first = [error]

        async def send_again() -> T:
            if first:
                raise first.pop()  # the attempt above, so that waits and attempts are counted from there
            return await send()

        retrying = AsyncRetrying(
            stop=stop_after_attempt(attempts),
            wait=wait_for,
            retry=retry_if_exception(condition),
            reraise=True,
        )
        return await retrying(send_again)

    async def _start_stream(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        try:
            reply = await self._open().post(
                self.url + path,
                data=body,
                headers=self._headers(None),
                timeout=self._stream_timeout,
                allow_redirects=False,
            )
            if reply.status < 300:
                return reply
            async with reply:
                raise HttpError(reply.status, await reply.read(), _retry_after(reply))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(f"{self.url}: {type(error).__name__}: {error}") from error

    async def _send(
        self, method: str, path: str, body: bytes | Pieces | None, headers: Mapping[str, str] | None
    ) -> bytes:
        session = self._open()
        data = body if body is None or isinstance(body, bytes) else _PiecesPayload(body)
        try:
            async with session.request(
                method,
                self.url + path,
                data=data,
                headers=self._headers(headers),
                timeout=self._timeout,
                allow_redirects=False,  # a redirect would carry the credential and the text to another host
            ) as reply:
                if reply.content_length is not None and reply.content_length > MAX_REPLY_BYTES:
                    raise UnreachableError(f"{self.url}: the reply is larger than {MAX_REPLY_BYTES} bytes")
                content = await reply.read()
                if reply.status >= 300:
                    raise HttpError(reply.status, content, _retry_after(reply))
                return content
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(f"{self.url}: {type(error).__name__}: {error}") from error


def wait_for(state: RetryCallState) -> float:
    """Seconds until the next attempt: growing and random, and no less than the upstream asks for within reason."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = (error.retry_after or 0.0) if isinstance(error, HttpError) else 0.0
    return max(_BACK_OFF(state), min(asked, LONGEST_WAIT_SECONDS))


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
