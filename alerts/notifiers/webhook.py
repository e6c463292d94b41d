"""Tell another program: a signed JSON document by HTTP POST.

The signature is HMAC-SHA256 over ``<timestamp>.<body>`` in hexadecimal; the receiver checks it, and that the timestamp
is recent, so that nobody can forge or replay a message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from domain.people import Contact

KEY_HEADER = "Idempotency-Key"
TIMESTAMP_HEADER = "X-Vitals-Timestamp"
SIGNATURE_HEADER = "X-Vitals-Signature"

_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
# Somebody may be repairing the receiver or its credentials: worth another try until the deadline.
_MAY_MEND = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


class WebhookSettings(BaseModel):
    """Where to, and the secret that both sides know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: HttpUrl
    secret: SecretStr | None = None
    """Signs every request; without it requests are not signed."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=300)


class WebhookNotifier:
    """Posts to one address through a session that its opener closes."""

    def __init__(self, settings: WebhookSettings, session: aiohttp.ClientSession, workplace: Workplace) -> None:
        self._settings = settings
        self._session = session
        self._workplace = workplace

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Post once; redirects are not followed, since they would carry the message to another place."""
        body = document(message)
        try:
            async with self._session.post(
                str(self._settings.url), data=body, headers=self._headers(message, body), allow_redirects=False
            ) as response:
                return judged(response.status, response.headers.get("Retry-After", ""))
        except TimeoutError:
            return Delivery.failed(
                f"the webhook did not answer within {self._settings.timeout_seconds:g} s", recoverable=True
            )
        except aiohttp.ClientError as error:
            return Delivery.failed(f"the webhook cannot be reached: {error}", recoverable=True)

    def _headers(self, message: OutgoingMessage, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._workplace.unix_seconds()))
        headers = {"Content-Type": "application/json", KEY_HEADER: message.key, TIMESTAMP_HEADER: timestamp}
        if self._settings.secret is not None:
            signature = sign(self._settings.secret.get_secret_value(), timestamp, body)
            headers[SIGNATURE_HEADER] = f"sha256={signature}"
        return headers


def document(message: OutgoingMessage) -> bytes:
    """Return the JSON that is posted."""
    fields = {
        "key": message.key,
        "reference": message.reference,
        "kind": message.kind.value,
        "subject": message.subject,
        "text": message.short_text,
        "facts": dict(message.facts),
    }
    return json.dumps(fields, ensure_ascii=False).encode()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of ``<timestamp>.<body>`` in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def judged(status: int, retry_after: str) -> Delivery:
    """Return what an HTTP answer means for the message."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivery.delivered()
    recoverable = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRY_AGAIN or status in _MAY_MEND
    wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    return Delivery.failed(f"the webhook answered {status}", recoverable=recoverable, retry_after_seconds=wait)


def address_of(contact: Contact) -> str:
    """Return nothing: a system is told once, whoever answers for the facility."""
    return ""


@asynccontextmanager
async def open_webhook(settings: WebhookSettings, workplace: Workplace) -> AsyncIterator[WebhookNotifier]:
    """Give the notifier with an HTTP session of its own."""
    timeout = aiohttp.ClientTimeout(total=settings.timeout_seconds)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield WebhookNotifier(settings, session, workplace)
