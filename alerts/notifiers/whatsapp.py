"""Tell by WhatsApp (Cloud API of Meta), and hear what becomes of it and what people answer."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.callbacks import CallbackSettings, document_of, items_of, text_of
from alerts.notifiers.http import Answer, Peer, excerpt, open_peer
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
from alerts.notifiers.signing import same
from domain.people import Contact

CHANNEL = "whatsapp"
_NAME = "WhatsApp"
_WINDOW_CLOSED = 131047
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
_MAY_PASS = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 133004, 368})
_MAY_MEND = frozenset({0, 3, 10, 190, 131005, 131031, 131042, 132001, 132015, 133010})
_ARRIVED = frozenset({"delivered", "read"})


class Template(BaseModel):
    """An approved template whose body has one variable: the text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    language: str = "en"


class WhatsAppSettings(CallbackSettings):
    """The business account; Meta signs what it posts with the secret of the app."""

    phone_number_id: str = Field(pattern=r"^\d+$")
    access_token: SecretStr
    app_secret: SecretStr | None = None
    """Needed to hear anything."""
    template: Template | None = None
    """Alarms need one: a free text arrives only within 24 hours after the person has written."""
    url: HttpUrl = HttpUrl("https://graph.facebook.com/v23.0")
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)


class WhatsAppNotifier:
    """Sends each message by a request of its own."""

    def __init__(self, settings: WhatsAppSettings, peer: Peer) -> None:
        self._settings, self._peer = settings, peer

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Hand the short text over; whether it arrives a delivery report says later."""
        settings = self._settings
        url = f"{str(settings.url).rstrip('/')}/{settings.phone_number_id}/messages"
        headers = {"Authorization": f"Bearer {settings.access_token.get_secret_value()}"}
        answer = await self._peer.post_json(url, document(message, settings.template), headers)
        return answer if isinstance(answer, Delivery) else self._judged(answer)

    def _judged(self, answer: Answer) -> Delivery:
        found = answer.document()
        found = found if isinstance(found, dict) else {}
        sent = items_of(found.get("messages"))
        if answer.accepted and sent and sent[0].get("id"):
            state = NotificationState.SUBMITTED if self._settings.callback_token else NotificationState.DELIVERED
            return Delivery(state, reference=str(sent[0]["id"])[:200])
        error = found.get("error")
        if not isinstance(error, dict) or not isinstance(error.get("code"), int):
            return self._peer.unreadable(answer) if answer.accepted else self._peer.judged(answer)
        code = error["code"]
        recoverable = code in _MAY_PASS or code in _MAY_MEND or 200 <= code < 300
        hint = "; check the account, its token and its templates" if recoverable and code not in _MAY_PASS else ""
        return self._peer.failed(f"{_NAME} refused it: {sentence_of(error)}{hint}", recoverable=recoverable)


def document(message: OutgoingMessage, template: Template | None) -> dict[str, Any]:
    """Return what is posted: a reply is a free text, since the person has just written."""
    head = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": message.address}
    if template is None or message.kind is NotificationKind.REPLY:
        return {**head, "type": "text", "text": {"preview_url": False, "body": message.short_text}}
    # Variables of templates must be one line.
    parameter = {"type": "text", "text": " ".join(message.short_text.split())}
    filled = {
        "name": template.name,
        "language": {"code": template.language},
        "components": [{"type": "body", "parameters": [parameter]}],
    }
    return {**head, "type": "template", "template": filled}


def sentence_of(error: dict[str, Any]) -> str:
    """Return what an error of Meta says."""
    code = error.get("code")
    said = excerpt(str(error.get("message") or error.get("title") or "no reason given"))
    hint = "; set `template`: more than 24 hours have gone since the person wrote" if code == _WINDOW_CLOSED else ""
    return f"{code} {said}{hint}"


def hear(settings: WhatsAppSettings, callback: Callback) -> Heard:
    """Answer the question that Meta asks once, or read what it posts."""
    if callback.method == "GET":
        return _verified(settings, callback)
    secret = settings.app_secret.get_secret_value() if settings.app_secret else ""
    expected = "sha256=" + hmac.new(secret.encode(), callback.body, hashlib.sha256).hexdigest()
    if not secret or not same(callback.headers.get("x-hub-signature-256", ""), expected):
        raise CallbackRefusedError(
            "The signature is not that of the app; allowed: X-Hub-Signature-256 with `app_secret`."
        )
    events: list[DeliveryReport | IncomingText] = []
    for entry in items_of(document_of(callback).get("entry")):
        for change in items_of(entry.get("changes")):
            value = change.get("value")
            if isinstance(value, dict) and _is_ours(value, settings):
                events += filter(None, map(_text, items_of(value.get("messages"))))
                events += filter(None, map(_report, items_of(value.get("statuses"))))
    return Heard(tuple(events))


def _verified(settings: WhatsAppSettings, callback: Callback) -> Heard:
    token = settings.callback_token.get_secret_value() if settings.callback_token else ""
    query = callback.query
    given = query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not token or not same(given, token):
        raise CallbackRefusedError("Not a subscription; allowed: the verify token is `callback_token`.")
    return Heard((), query.get("hub.challenge", "").encode()[:200])


def _is_ours(value: dict[str, Any], settings: WhatsAppSettings) -> bool:
    metadata = value.get("metadata")
    return isinstance(metadata, dict) and metadata.get("phone_number_id") == settings.phone_number_id


def _text(message: dict[str, Any]) -> IncomingText | None:
    """Return what somebody wrote or which button they pressed; None for pictures and the like."""
    kind = str(message.get("type"))
    part = message.get(kind)
    part = part if isinstance(part, dict) else {}
    inner = part.get(str(part.get("type")))
    said = {"text": part.get("body"), "button": part.get("text")}.get(kind)
    if kind == "interactive" and isinstance(inner, dict):
        said = inner.get("title")
    if not isinstance(said, str):
        return None
    return IncomingText(CHANNEL, f"+{message.get('from', '')}", text_of(said), str(message.get("id", "")))


def _report(status: dict[str, Any]) -> DeliveryReport | None:
    name, reference = status.get("status"), str(status.get("id", ""))[:200]
    if name in _ARRIVED:
        return DeliveryReport(CHANNEL, reference, NotificationState.DELIVERED)
    if name != "failed":
        return None
    errors = items_of(status.get("errors"))
    sentence = sentence_of(errors[0]) if errors else "no reason given"
    return DeliveryReport(CHANNEL, reference, NotificationState.FAILED, f"{_NAME} reports {sentence}")


def address_of(contact: Contact) -> str:
    """Return the person's number on WhatsApp, which is the phone number where none is named."""
    number = contact.addresses.get("whatsapp", "") or contact.phone
    return f"+{number.lstrip('+')}" if number else ""


@asynccontextmanager
async def open_whatsapp(settings: WhatsAppSettings, workplace: Workplace) -> AsyncIterator[WhatsAppNotifier]:
    """Give the notifier with an HTTP session of its own."""
    secrets = (settings.access_token.get_secret_value(),)
    async with open_peer(_NAME, timeout_seconds=settings.timeout_seconds, secrets=secrets) as peer:
        yield WhatsAppNotifier(settings, peer)
