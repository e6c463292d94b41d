"""Tell by SMS through Africa's Talking, and hear what becomes of it and what people answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, HttpUrl, SecretStr

from alerts.notification import NotificationState
from alerts.notifiers.callbacks import CallbackSettings, fields_of, items_of, required, text_of
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
from domain.people import Contact

CHANNEL = "africastalking"
_NAME = "Africa's Talking"
_PATH = "/version1/messaging"

# Status codes of a recipient. Which may pass: as Community Health Toolkit (medic/cht-core, africas-talking.js) has it.
_TAKEN = frozenset({100, 101, 102})
_MAY_PASS = {
    402: "the sender id is not registered for this account; check `sender` in the settings",
    405: "the account has no credit left; top it up",
    500: "it is in trouble",
    501: "the operator's gateway is in trouble",
    502: "the operator's gateway rejected it",
}
_FOR_GOOD = {
    401: "it holds the message as a risk; ask its support",
    403: "the phone number is not valid; correct it in the registry",
    404: "it does not serve this kind of phone number",
    406: "this person has blocked messages of this sender; they can undo it at their operator",
    407: "no operator serves this phone number; check it in the registry",
    409: "the operator delivers no messages of this kind at this hour; ask for a transactional sender id",
}
_REPORTS = {
    "Success": NotificationState.DELIVERED,
    "Failed": NotificationState.FAILED,
    "Rejected": NotificationState.FAILED,
    "AbsentSubscriber": NotificationState.FAILED,
    "Expired": NotificationState.FAILED,
}
_ON_THEIR_WAY = frozenset({"Sent", "Submitted", "Buffered"})


class AfricasTalkingSettings(CallbackSettings):
    """The account, and the sender that people see."""

    username: str = Field(min_length=1)
    api_key: SecretStr
    sender: str = ""
    """A registered sender id or short code; only a short code can be answered. Empty: what the account has."""
    url: HttpUrl = HttpUrl("https://api.africastalking.com")
    """The sandbox is at https://api.sandbox.africastalking.com, its user name is ``sandbox``."""
    timeout_seconds: float = Field(default=20.0, gt=0, le=300)


class AfricasTalkingNotifier:
    """Sends each message by a request of its own."""

    def __init__(self, settings: AfricasTalkingSettings, peer: Peer) -> None:
        self._settings, self._peer = settings, peer

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Hand the short text over; whether it arrives a delivery report says later."""
        settings = self._settings
        form = {"username": settings.username, "to": message.address, "message": message.short_text}
        if settings.sender:
            form["from"] = settings.sender
        headers = {
            "apiKey": settings.api_key.get_secret_value(),
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url = str(settings.url).rstrip("/") + _PATH
        answer = await self._peer.ask("POST", url, headers=headers, body=urlencode(form).encode())
        return answer if isinstance(answer, Delivery) else self._judged(answer)

    def _judged(self, answer: Answer) -> Delivery:
        document = answer.document()
        data = document.get("SMSMessageData") if isinstance(document, dict) else None
        if not isinstance(data, dict):
            return self._peer.unreadable(answer) if answer.accepted else self._peer.judged(answer)
        recipients = items_of(data.get("Recipients"))
        if recipients:
            return self._of_recipient(recipients[0])
        said = excerpt(str(data.get("Message", "")))
        sentence = f"{_NAME} took nothing: {said}; check `sender`, the number and the account"
        return self._peer.failed(sentence, recoverable=True)

    def _of_recipient(self, recipient: dict[str, Any]) -> Delivery:
        code = recipient.get("statusCode")
        code = code if isinstance(code, int) else 0
        if code in _TAKEN:
            state = NotificationState.SUBMITTED if self._settings.callback_token else NotificationState.DELIVERED
            return Delivery(state, reference=str(recipient.get("messageId", ""))[:200])
        status = excerpt(str(recipient.get("status", "")))
        why = _FOR_GOOD.get(code) or _MAY_PASS.get(code) or "a status that is new to us"
        recoverable = code not in _FOR_GOOD
        return self._peer.failed(f"{_NAME} answered {code} {status}: {why}", recoverable=recoverable)


def hear(_: AfricasTalkingSettings, callback: Callback) -> Heard:
    """Read a delivery report, an incoming message or an opting out; they are not signed, only the address is secret."""
    fields = fields_of(callback)
    if "status" in fields:
        return Heard(_report(fields))
    if "text" in fields:
        text = text_of(fields["text"])
        return Heard((IncomingText(CHANNEL, required(fields, "from"), text, fields.get("id", "")),))
    if "senderId" in fields and "phoneNumber" in fields:
        return Heard(())  # somebody opted out: the next message to them fails and says so
    raise CallbackRefusedError("Neither a delivery report nor an incoming message of Africa's Talking.")


def _report(fields: dict[str, str]) -> tuple[DeliveryReport, ...]:
    reference, status = required(fields, "id"), required(fields, "status")
    if status in _ON_THEIR_WAY:
        return ()
    state = _REPORTS.get(status, NotificationState.UNKNOWN)
    reason = fields.get("failureReason", "")
    sentence = "" if state is NotificationState.DELIVERED else excerpt(f"{_NAME} reports {status} {reason}")
    return (DeliveryReport(CHANNEL, reference[:200], state, sentence),)


def address_of(contact: Contact) -> str:
    """Return the person's phone number."""
    return contact.phone


@asynccontextmanager
async def open_africastalking(
    settings: AfricasTalkingSettings, workplace: Workplace
) -> AsyncIterator[AfricasTalkingNotifier]:
    """Give the notifier with an HTTP session of its own."""
    secrets = (settings.api_key.get_secret_value(),)
    async with open_peer(_NAME, timeout_seconds=settings.timeout_seconds, secrets=secrets) as peer:
        yield AfricasTalkingNotifier(settings, peer)
