"""Tell by SMS through any gateway that speaks HTTP: the settings say how its requests, answers and callbacks look."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

from alerts.notification import NotificationState
from alerts.notifiers.callbacks import document_of, fields_of, is_json, text_of
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
from alerts.notifiers.sms_gateway_settings import PLACEHOLDER, Incoming, Reports, SmsGatewaySettings
from domain.gsm7 import septets
from domain.people import Contact

CHANNEL = "sms_gateway"
_NAME = "the SMS gateway"


class SmsGatewayNotifier:
    """Sends each message by a request of its own."""

    def __init__(self, settings: SmsGatewaySettings, peer: Peer) -> None:
        self._settings, self._peer = settings, peer

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Hand the short text over as the settings say."""
        settings, values = self._settings, values_of(message, self._settings)
        url, headers, body = request_of(settings, values)
        answer = await self._peer.ask(settings.method, url, headers=headers, body=body)
        return answer if isinstance(answer, Delivery) else self._judged(answer, message.key)

    def _judged(self, answer: Answer, key: str) -> Delivery:
        rules = self._settings.answer
        if rules.refused and re.search(rules.refused, answer.text):
            return self._peer.failed(f"{_NAME} refused the message: {excerpt(answer.text)}", recoverable=False)
        if not answer.accepted:
            return self._peer.judged(answer)
        if rules.accepted and not re.search(rules.accepted, answer.text):
            return self._peer.unreadable(answer)
        state = NotificationState.SUBMITTED if self._settings.reports else NotificationState.DELIVERED
        return Delivery(state, reference=(reference_in(answer, self._settings) or key)[:200])


def values_of(message: OutgoingMessage, settings: SmsGatewaySettings) -> dict[str, str]:
    """Return what placeholders stand for."""
    return {
        "to": message.address,
        "to_digits": message.address.lstrip("+"),
        "text": message.short_text,
        "key": message.key,
        "reference": str(message.reference),
        "password": settings.password.get_secret_value() if settings.password else "",
        "callback_token": settings.callback_token.get_secret_value() if settings.callback_token else "",
        # The data coding that Kannel and its like name so: 0 for GSM 7-bit, 2 for everything else.
        "coding": "0" if septets(message.short_text) is not None else "2",
    }


def request_of(settings: SmsGatewaySettings, values: Mapping[str, str]) -> tuple[str, dict[str, str], bytes | None]:
    """Return address, headers and body; a value stands in each place as that place writes it."""
    url = PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), settings.url)
    if settings.query:
        pairs = urlencode({name: filled(text, values) for name, text in settings.query.items()}, quote_via=quote)
        url += ("&" if "?" in url else "?") + pairs
    headers = {name: _on_one_line(filled(text, values)) for name, text in settings.headers.items()}
    if settings.form is not None:
        form = {name: filled(text, values) for name, text in settings.form.items()}
        return url, {"Content-Type": "application/x-www-form-urlencoded", **headers}, urlencode(form).encode()
    if settings.json_body is not None:
        body = json.dumps(_filled_in(settings.json_body, values), ensure_ascii=False).encode("utf-8", "replace")
        return url, {"Content-Type": "application/json", **headers}, body
    return url, headers, None


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its placeholders filled; what stands in a value is filled no further."""
    return PLACEHOLDER.sub(lambda found: values[found[1]], template)


def _filled_in(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return filled(part, values)
    if isinstance(part, dict):
        return {name: _filled_in(each, values) for name, each in part.items()}
    return [_filled_in(each, values) for each in part] if isinstance(part, list) else part


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def reference_in(answer: Answer, settings: SmsGatewaySettings) -> str:
    """Return the gateway's name for the message; empty where it gives none."""
    rules = settings.answer
    if rules.reference_pointer is not None:
        return at_pointer(answer.document(), rules.reference_pointer)
    found = re.search(rules.reference_pattern, answer.text) if rules.reference_pattern else None
    return found[1] if found else ""


def at_pointer(document: Any, pointer: str) -> str:
    """Return the text or number at a JSON pointer (RFC 6901); empty where there is none."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isascii() and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return ""
    return str(document) if isinstance(document, str | int | float) and not isinstance(document, bool) else ""


def hear(settings: SmsGatewaySettings, callback: Callback) -> Heard:
    """Read a delivery report or an incoming text as the settings say."""
    _check_signature(settings, callback)
    document: dict[str, Any] = {**callback.query}
    document |= document_of(callback) if is_json(callback) else fields_of(callback)
    report, answer = settings.reports, settings.callback_answer.encode()
    status = _look_up(document, report.status) if report else ""
    if report and status in (*report.delivered, *report.failed):
        return Heard((_report(document, report, status),), answer)
    if settings.incoming and _look_up(document, settings.incoming.sender):
        return Heard((_incoming(document, settings.incoming),), answer)
    if status:
        return Heard((), answer)  # it is on its way
    raise CallbackRefusedError(
        "Neither a report nor an incoming text; allowed: what `reports` and `incoming` describe."
    )


def _check_signature(settings: SmsGatewaySettings, callback: Callback) -> None:
    rule = settings.signature
    if rule is None:
        return
    signed = callback.body
    if rule.timestamp_header:
        signed += callback.headers.get(rule.timestamp_header.lower(), "").encode("utf-8", "replace")
    expected = rule.prefix + hmac.new(rule.secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    if not same(callback.headers.get(rule.header.lower(), ""), expected):
        raise CallbackRefusedError(f"The signature in {rule.header} is wrong; allowed: the one of `signature.secret`.")


def _report(document: dict[str, Any], rule: Reports, status: str) -> DeliveryReport:
    reference = _look_up(document, rule.reference)
    if not reference:
        raise CallbackRefusedError(f"The report names no message; allowed: one in {rule.reference!r}.")
    if status in rule.delivered:
        return DeliveryReport(CHANNEL, reference[:200], NotificationState.DELIVERED)
    reason = excerpt(_look_up(document, rule.reason)) if rule.reason else ""
    sentence = f"{_NAME} reports {status} {reason}".rstrip()
    return DeliveryReport(CHANNEL, reference[:200], NotificationState.FAILED, sentence)


def _incoming(document: dict[str, Any], rule: Incoming) -> IncomingText:
    sender = international(_look_up(document, rule.sender), rule.country_code)
    reference = _look_up(document, rule.reference) if rule.reference else ""
    return IncomingText(CHANNEL, sender, text_of(_look_up(document, rule.text)), reference[:200])


def _look_up(document: dict[str, Any], name: str) -> str:
    return at_pointer(document, name if name.startswith("/") else "/" + name.replace("~", "~0").replace("/", "~1"))


def international(number: str, country_code: str = "") -> str:
    """Return a phone number as the registry spells it: ``+256700000001``; other senders as they are."""
    digits = re.sub(r"[\s().-]", "", number)
    if digits.startswith("+") or not digits.isdigit():
        return digits
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if digits.startswith("0") and country_code:
        return f"+{country_code}{digits[1:]}"
    return f"+{digits}" if len(digits) > 6 else digits


def address_of(contact: Contact) -> str:
    """Return the person's phone number."""
    return contact.phone


@asynccontextmanager
async def open_sms_gateway(settings: SmsGatewaySettings, workplace: Workplace) -> AsyncIterator[SmsGatewayNotifier]:
    """Give the notifier with an HTTP session of its own."""
    kept = (settings.password, settings.callback_token)
    secrets = [secret.get_secret_value() for secret in kept if secret is not None]
    async with open_peer(_NAME, timeout_seconds=settings.timeout_seconds, secrets=secrets) as peer:
        yield SmsGatewayNotifier(settings, peer)
