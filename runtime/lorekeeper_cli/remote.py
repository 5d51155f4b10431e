"""Asks the server that holds the home, over HTTP on this machine, with nothing but the standard library."""

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError

__all__ = ["RemoteServer"]

_CONNECT_SECONDS = 5.0


class RemoteServer:
    """The running server of a home."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        """Address of the server."""
        self._token = token

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """POST an object and return the status and the decoded reply. It waits as long as the server works.

        Raises:
            CommandError: The server does not answer.
        """
        return self._send("POST", path, json.dumps(body))

    def get(self, path: str) -> tuple[int, Any]:
        """GET a route and return the status and the decoded reply.

        Raises:
            CommandError: The server does not answer.
        """
        return self._send("GET", path, None)

    def _send(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=_CONNECT_SECONDS)
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.connect()
            if isinstance(connection.sock, socket.socket):
                connection.sock.settimeout(None)
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CommandError(
                f"The server at {self.url} holds the home but does not answer: see what it says, or stop it.",
                exit_code=Exit.UNAVAILABLE,
            ) from error
        finally:
            connection.close()
