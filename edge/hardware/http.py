"""One HTTP request to a device in the house: bounded in time and size, whatever the device does."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from domain.errors import PeerError


class TooLargeError(PeerError):
    """The answer is longer than any that is expected."""


class Fetched(NamedTuple):
    """What a device answered."""

    status: int
    body: bytes


class Request:
    """A GET that blocks; made for one call, and ended from another thread by ``abort``."""

    def __init__(self, url: str, headers: Mapping[str, str], *, timeout_seconds: float, most_bytes: int) -> None:
        self._url = urlsplit(url)
        self._headers = dict(headers)
        self._timeout_seconds = timeout_seconds
        self._most_bytes = most_bytes
        self._socket: socket.socket | None = None

    def __call__(self) -> Fetched:
        """Return the answer; raises ``OSError``, ``http.client.HTTPException`` and ``TooLargeError``.

        Redirections are answers like any other.
        """
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=self._timeout_seconds)
        try:
            connection.connect()
            self._socket = connection.sock
            connection.request("GET", self._target(), headers=self._headers)
            response = connection.getresponse()
            body = response.read(self._most_bytes + 1)
        finally:
            connection.close()
        if len(body) > self._most_bytes:
            raise TooLargeError(f"the answer is longer than {self._most_bytes} bytes")
        if response.length:  # the library tells a cut answer only where it is read to its end
            raise http.client.IncompleteRead(body, response.length)
        return Fetched(response.status, body)

    def _target(self) -> str:
        path = self._url.path or "/"
        return f"{path}?{self._url.query}" if self._url.query else path

    def abort(self) -> None:
        """End the call, if it is still waiting for a device that sends a byte now and then."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
