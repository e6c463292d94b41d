"""Tell by a voice call: a call gateway is asked to read the text aloud, and says who answered and what they pressed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field, HttpUrl, SecretStr

from alerts.notification import NotificationState
from alerts.notifiers.callbacks import CallbackSettings, document_of, required, text_of
from alerts.notifiers.http import Peer, excerpt, open_peer
from alerts.notifiers.notifier import (
    Callback,
    CallbackRefusedError,
    Delivery,
    DeliveryReport,
    Heard,
    IncomingText,
    OutgoingMessage,
    Workplace,
)
from alerts.notifiers.signing import is_signed, signed_headers
from domain.people import Contact

CHANNEL = "voice"
_NAME = "the call gateway"
_REPORTS = {
    "answered": NotificationState.DELIVERED,
    "no_answer": NotificationState.FAILED,
    "busy": NotificationState.FAILED,
    "failed": NotificationState.FAILED,
}


class VoiceSettings(CallbackSettings):
    """The call gateway, and the secret that signs what it and we say."""

    url: HttpUrl
    secret: SecretStr
    language: str = "en"
    """In which it reads where the message does not say."""
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)


class VoiceNotifier:
    """Asks for each call by a request of its own."""

    def __init__(self, settings: VoiceSettings, peer: Peer, workplace: Workplace) -> None:
        self._settings, self._peer, self._workplace = settings, peer, workplace

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Ask for the call; who answered the gateway says later."""
        body = document(message, self._settings.language)
        secret = self._settings.secret.get_secret_value()
        headers = signed_headers(message.key, body, secret=secret, unix_seconds=self._workplace.unix_seconds())
        answer = await self._peer.ask("POST", str(self._settings.url), headers=headers, body=body)
        if isinstance(answer, Delivery):
            return answer
        if not answer.accepted:
            return self._peer.judged(answer)
        found = answer.document()
        named = found.get("id") if isinstance(found, dict) else None
        state = NotificationState.SUBMITTED if self._settings.callback_token else NotificationState.DELIVERED
        return Delivery(state, reference=str(named or message.key)[:200])


def document(message: OutgoingMessage, language: str) -> bytes:
    """Return the JSON that is posted."""
    fields = {
        "key": message.key,
        "to": message.address,
        "language": message.facts.get("language") or language,
        "text": message.short_text,
        "reference": message.reference,
    }
    return json.dumps(fields, ensure_ascii=False).encode()


def hear(settings: VoiceSettings, callback: Callback) -> Heard:
    """Read how a call went: ``{"id", "status", "to", "digits"}``, signed as our requests are."""
    if not is_signed(callback.headers, callback.body, settings.secret.get_secret_value()):
        raise CallbackRefusedError("The request is not signed; allowed: X-Vitals-Timestamp and X-Vitals-Signature.")
    fields = {name: str(value) for name, value in document_of(callback).items() if isinstance(value, str | int)}
    reference, status = required(fields, "id"), required(fields, "status")
    if status not in _REPORTS:
        raise CallbackRefusedError(f"The status {excerpt(status)!r} is unknown; allowed: {', '.join(_REPORTS)}.")
    state = _REPORTS[status]
    sentence = "" if state is NotificationState.DELIVERED else f"{_NAME} reports {status}"
    events: list[DeliveryReport | IncomingText] = [DeliveryReport(CHANNEL, reference[:200], state, sentence)]
    if digits := text_of(fields.get("digits", "")):
        events.append(IncomingText(CHANNEL, required(fields, "to"), digits, reference[:200]))
    return Heard(tuple(events))


def address_of(contact: Contact) -> str:
    """Return the person's phone number."""
    return contact.phone


@asynccontextmanager
async def open_voice(settings: VoiceSettings, workplace: Workplace) -> AsyncIterator[VoiceNotifier]:
    """Give the notifier with an HTTP session of its own."""
    secrets = (settings.secret.get_secret_value(),)
    async with open_peer(_NAME, timeout_seconds=settings.timeout_seconds, secrets=secrets) as peer:
        yield VoiceNotifier(settings, peer, workplace)
