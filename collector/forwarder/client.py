"""One write request to InfluxDB and its answer; deciding what the answer means happens elsewhere."""

from __future__ import annotations

import base64
import gzip
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from collector.forwarder.answers import Answer, error_message
from collector.forwarder.settings import InfluxKind, InfluxSettings
from collector.forwarder.setup_v2 import SetUpRefusedError, set_up

log = logging.getLogger(__name__)

GZIP_LEVEL = 1
LONGEST_ANSWER_BYTES = 65_536
# 1.x repeats every line that it cannot parse in a response header; aiohttp gives up on headers over 8 KiB.
LONGEST_HEADER_BYTES = 16 * 2**20


class InfluxWriter(Protocol):
    """Writes one request."""

    async def write(self, body: bytes) -> Answer:
        """Send gzipped line protocol with times in milliseconds; a network failure is an answer without status."""


def compress(lines: Sequence[str]) -> bytes:
    """Return the body of a write request."""
    return gzip.compress("\n".join(lines).encode(), GZIP_LEVEL, mtime=0)


async def read_body(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Return the whole body, or its first ``most_bytes``; one ``read`` gives only what has arrived."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) >= most_bytes:
            break
    return bytes(body[:most_bytes])


@asynccontextmanager
async def open_writer(settings: InfluxSettings) -> AsyncIterator[InfluxWriter]:
    """Yield a writer for the configured server; nothing is sent before the first write."""
    writer: V1Writer | V2Writer
    writer = V1Writer(settings) if settings.kind is InfluxKind.V1 else V2Writer(settings)
    try:
        yield writer
    finally:
        await writer.close()


class V1Writer:
    """Writes to ``/write`` of InfluxDB 1.x, and creates the database where it is missing."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._url = settings.url
        self._database, self._retention = settings.database, settings.retention
        self._session = aiohttp.ClientSession(
            headers=basic_authorization(settings),
            timeout=aiohttp.ClientTimeout(total=settings.timeout.total_seconds()),
            max_line_size=LONGEST_HEADER_BYTES,
            max_field_size=LONGEST_HEADER_BYTES,
        )
        self._created = False

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def write(self, body: bytes) -> Answer:
        """Send gzipped line protocol; a missing database is created, and the request repeated once."""
        if not self._created:
            await self._create_database()
        answer = await self._write(body)
        if answer.status != 404:
            return answer
        # Dropped under our feet, or a new server under the same address.
        creation = await self._create_database()
        if self._created:
            return await self._write(body)
        return Answer(404, f"{error_message(answer)}; creating it: {error_message(creation)}".encode())

    async def _write(self, body: bytes) -> Answer:
        return await self._post(
            "/write",
            params={"db": self._database, "precision": "ms"},
            data=body,
            headers={"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8"},
        )

    async def _create_database(self) -> Answer:
        """Create the database where it is missing.

        A refusal is not the end: a user who may only write cannot create, and the database may well be there.
        """
        name = self._database.replace("\\", "\\\\").replace('"', '\\"')
        lasting = "" if self._retention is None else f" WITH DURATION {round(self._retention.total_seconds())}s"
        answer = await self._post("/query", data={"q": f'CREATE DATABASE "{name}"{lasting}'})
        # InfluxQL tells its errors inside a 200.
        refused = answer.status != 200 or b'"error"' in answer.body
        # One that is there keeps for as long as it was told to.
        self._created = not refused or b"conflicts with an existing policy" in answer.body
        return answer

    async def _post(self, path: str, **request: Any) -> Answer:
        try:
            # Not following redirects: aiohttp, as browsers do, would repeat a redirected POST as a GET.
            async with self._session.post(f"{self._url}{path}", allow_redirects=False, **request) as response:
                body = await read_body(response, LONGEST_ANSWER_BYTES)
                return Answer(response.status, body, response.headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return _unanswered(error)


class V2Writer:
    """Writes to ``/api/v2/write`` of InfluxDB 2.x and 3 through the official client, one request at a time."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings, self._is_set_up = settings, settings.kind is not InfluxKind.V2
        self._bucket = settings.database
        # The client refuses an empty organization; 3.x does not read it.
        self._org = settings.org or "-"
        self._client = InfluxDBClientAsync(
            url=settings.url,
            token=settings.token.get_secret_value() if settings.token else "",
            org=self._org,
            timeout=round(settings.timeout.total_seconds() * 1000),
            allow_redirects=False,
            client_session_kwargs={"max_line_size": LONGEST_HEADER_BYTES, "max_field_size": LONGEST_HEADER_BYTES},
        )
        # The client's own compression is fixed at the slowest level; it passes bytes on as they are.
        self._client.api_client.set_default_header("Content-Encoding", "gzip")
        self._write_api = self._client.write_api()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def write(self, body: bytes) -> Answer:
        """Send gzipped line protocol; before the first time, see to it that 2.x has the bucket and its mapping."""
        try:
            if not self._is_set_up:
                await self._set_up()
            await self._write_api.write(self._bucket, self._org, record=body, write_precision="ms")
        except ApiException as refusal:
            return Answer(refusal.status or None, refusal.body or b"", dict(refusal.headers or {}))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return _unanswered(error)
        # The return value tells 2xx statuses apart too little: 201 is a partial write.
        response = self._client.api_client.last_response
        return Answer(response.status, response.data, dict(response.getheaders()))

    async def _set_up(self) -> None:
        """Try once while the server answers; a token that may only write is enough where everything is there."""
        token = self._settings.token.get_secret_value() if self._settings.token else ""
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout.total_seconds())
        async with aiohttp.ClientSession(headers={"Authorization": f"Token {token}"}, timeout=timeout) as session:
            try:
                log.info("InfluxDB has %s", await set_up(session, self._settings))
            except SetUpRefusedError as refusal:
                log.warning("InfluxDB at %s was not set up: %s", self._settings.url, refusal)
        self._is_set_up = True


def basic_authorization(settings: InfluxSettings) -> dict[str, str]:
    """Return the header that 1.x knows a user by (RFC 7617); none where none is configured."""
    if settings.password is None:
        return {}
    pair = f"{settings.username}:{settings.password.get_secret_value()}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _unanswered(error: Exception) -> Answer:
    if isinstance(error, aiohttp.ClientResponseError):
        # Something came back that cannot be read as an answer. Smaller requests get smaller answers.
        return Answer(400, f"an answer that is not readable: {error.message}".encode())
    return Answer(None, (str(error) or type(error).__name__).encode())
