"""Asking another server over HTTP: one request, its answer, and what an answer means for the message."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from alerts.notifiers.notifier import Delivery

MOST_ANSWER_BYTES = 65_536
_EXCERPT = 160
_HIDDEN = "***"
_LEAST_SECRET = 4
"""Shorter ones would blot out half of every sentence."""

_TRY_AGAIN: Mapping[int, str] = {
    HTTPStatus.REQUEST_TIMEOUT: "it was too slow for it",
    HTTPStatus.TOO_EARLY: "it asks to come later",
    HTTPStatus.TOO_MANY_REQUESTS: "it gets too many messages from us",
}
# Somebody may be repairing the receiver or its credentials: worth another try until the deadline.
_MAY_MEND: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it does not accept our credentials; check them in the settings",
    HTTPStatus.FORBIDDEN: "it does not allow this to our account; check the account and its credentials",
    HTTPStatus.NOT_FOUND: "nothing is at this address; check the address in the settings",
}


class Answer(NamedTuple):
    """What the other server answered."""

    status: int
    body: bytes = b""
    """At most ``MOST_ANSWER_BYTES`` of it."""
    retry_after: str = ""
    """The header of this name."""

    @property
    def accepted(self) -> bool:
        """Tell whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def text(self) -> str:
        """Return the body as text, whatever bytes are in it."""
        return self.body.decode("utf-8", "replace")

    def document(self) -> Any:
        """Return the body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server: what sentences call it, how to ask it, and what must never stand in a sentence."""

    name: str
    session: aiohttp.ClientSession
    timeout_seconds: float
    secrets: tuple[str, ...] = ()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float | None = None,
        read: bool = True,
    ) -> Answer | Delivery:
        """Send one request to an address that is encoded already; give the answer, or the failure where none came.

        ``read`` is False where the status says all. Redirects are not followed, since they would carry the message to
        another place.
        """
        seconds = timeout_seconds or self.timeout_seconds
        try:
            async with self.session.request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                content = await _first_bytes(response) if read else b""
                return Answer(response.status, content, response.headers.get("Retry-After", ""))
        except TimeoutError:
            return self.failed(f"{self.name} did not answer within {seconds:g} s", recoverable=True)
        except (aiohttp.ClientError, ValueError) as error:
            return self.failed(f"{self.name} cannot be reached: {_why(error)}", recoverable=True)

    async def post_json(
        self,
        url: str,
        document: Any,
        headers: Mapping[str, str] | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> Answer | Delivery:
        """Post a JSON document."""
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        kind = {"Content-Type": "application/json", **(headers or {})}
        return await self.ask("POST", url, headers=kind, body=body, timeout_seconds=timeout_seconds)

    def failed(self, sentence: str, *, recoverable: bool, retry_after_seconds: float | None = None) -> Delivery:
        """Say that it failed, without any secret in the sentence."""
        plain = without_secrets(" ".join(sentence.split()), self.secrets)
        return Delivery.failed(plain, recoverable=recoverable, retry_after_seconds=retry_after_seconds)

    def unreadable(self, answer: Answer) -> Delivery:
        """Say that an answer of success is not one of this kind of server.

        A login page of a network answers so to everything, so the message is likely to be lost: it is tried again.
        """
        sentence = f"{self.name} answered {answer.status} with something else than expected"
        return self.failed(f"{sentence}: {excerpt(answer.text)}; check the address in the settings", recoverable=True)

    def judged(self, answer: Answer) -> Delivery:
        """Return what an answer means by its status alone; what a refusal says is part of the sentence."""
        verdict = judged(self.name, answer.status, answer.retry_after)
        if answer.accepted or not (said := excerpt(answer.text)):
            return verdict
        return replace(verdict, sentence=without_secrets(f"{verdict.sentence} ({said})", self.secrets)[:500])


def judged(name: str, status: int, retry_after: str) -> Delivery:
    """Return what an HTTP status means for the message."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivery.delivered()
    recoverable = True
    if (why := _TRY_AGAIN.get(status) or _MAY_MEND.get(status)) is None:
        recoverable = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        why = "it is in trouble" if recoverable else "it refuses this message"
        if status < HTTPStatus.BAD_REQUEST:
            why = "it sends us elsewhere; set the address that it means"
    sentence = f"{name} answered {status}: {why}"
    return Delivery.failed(sentence, recoverable=recoverable, retry_after_seconds=seconds_of(retry_after))


def seconds_of(retry_after: str) -> float | None:
    """Return the seconds of a Retry-After header; None for a date, nothing, or nonsense."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 8 else None


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line, printable."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in line[:_EXCERPT])


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every secret blotted out."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST_SECRET:
            text = text.replace(secret, _HIDDEN)
    return text


@asynccontextmanager
async def open_peer(name: str, *, timeout_seconds: float, secrets: Iterable[str] = ()) -> AsyncIterator[Peer]:
    """Give a peer with an HTTP session of its own."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Peer(name, session, timeout_seconds, tuple(secrets))


async def _first_bytes(response: aiohttp.ClientResponse) -> bytes:
    content = b""
    async for chunk in response.content.iter_chunked(8192):
        content += chunk
        if len(content) >= MOST_ANSWER_BYTES:
            break
    return content[:MOST_ANSWER_BYTES]


def _why(error: Exception) -> str:
    """Return a reason; most errors of the library quote the address, which may hold a token."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}:{error.port}: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.InvalidURL):
        return "its address in the settings is none"
    return type(error).__name__
