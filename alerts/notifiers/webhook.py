"""Tell another program: a signed JSON document by HTTP POST."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from alerts.notifiers.http import Peer, judged, open_peer
from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from alerts.notifiers.signing import signed_headers
from domain.people import Contact

_NAME = "the webhook"


class WebhookSettings(BaseModel):
    """Where to, and the secret that both sides know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: HttpUrl
    secret: SecretStr | None = None
    """Signs every request; without it requests are not signed."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=300)


class WebhookNotifier:
    """Posts to one address."""

    def __init__(self, settings: WebhookSettings, peer: Peer, workplace: Workplace) -> None:
        self._settings, self._peer, self._workplace = settings, peer, workplace

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Post once."""
        body = document(message)
        secret = self._settings.secret.get_secret_value() if self._settings.secret else None
        headers = signed_headers(message.key, body, secret=secret, unix_seconds=self._workplace.unix_seconds())
        answer = await self._peer.ask("POST", str(self._settings.url), headers=headers, body=body, read=False)
        if isinstance(answer, Delivery):
            return answer
        return judged(_NAME, answer.status, answer.retry_after)


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


def address_of(contact: Contact) -> str:
    """Return nothing: a system is told once, whoever answers for the facility."""
    return ""


@asynccontextmanager
async def open_webhook(settings: WebhookSettings, workplace: Workplace) -> AsyncIterator[WebhookNotifier]:
    """Give the notifier with an HTTP session of its own."""
    async with open_peer(_NAME, timeout_seconds=settings.timeout_seconds) as peer:
        yield WebhookNotifier(settings, peer, workplace)
