"""What gateways tell us: reports and answers of people; nothing is believed that is not proved, nothing lost."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from alerts.notification import NotificationState
from alerts.notifiers.http import open_peer
from alerts.notifiers.notifier import CallbackRefusedError, DeliveryReport, Heard, IncomingText
from alerts.notifiers.signing import signed_headers
from alerts.notifiers.sms_gateway import international
from alerts.notifiers.table import NOTIFIERS
from alerts.notifiers.telegram import TelegramEar, TelegramSettings
from alerts.settings import AlertsSettings
from app.callbacks import hear_callbacks
from tests.alerts.notifiers.given import SECRET, TOKEN, a_callback, a_gateway, json_answer

ROWS = {row.name: row for row in NOTIFIERS}
AT = {"username": "v", "api_key": SECRET, "callback_token": TOKEN}
ANDROID = {
    "url": "https://phone/message",
    "json_body": {"t": "{text}", "to": "{to}"},
    "callback_token": TOKEN,
    "reports": {
        "reference": "/payload/messageId",
        "status": "event",
        "delivered": ["sms:delivered"],
        "failed": ["sms:failed"],
        "reason": "/payload/reason",
    },
    "incoming": {
        "sender": "/payload/phoneNumber",
        "text": "/payload/message",
        "reference": "id",
        "country_code": "256",
    },
    "signature": {"header": "X-Signature", "timestamp_header": "X-Timestamp", "secret": SECRET},
}
META = {"phone_number_id": "99", "access_token": "t", "app_secret": SECRET, "callback_token": TOKEN}
VOICE = {"url": "https://calls/", "secret": SECRET, "callback_token": TOKEN}


def hears(name: str, settings: dict[str, Any], *arguments: Any, **more: Any) -> Heard:
    """Hand a callback to a row."""
    row = ROWS[name]
    assert row.hear is not None
    return row.hear(row.settings.model_validate(settings), a_callback(*arguments, **more))


def form(**fields: str) -> bytes:
    """Return a form, with the fields named from_ and the like under their own names."""
    return urlencode({name.rstrip("_"): value for name, value in fields.items()}).encode()


@pytest.mark.parametrize(
    ("status", "state"),
    [("Success", "delivered"), ("Failed", "failed"), ("AbsentSubscriber", "failed"), ("Sent", None)],
)
def test_africas_talking_reports(status: str, state: str | None) -> None:
    """What is on its way is no report yet; a failure says why."""
    heard = hears("africastalking", AT, form(id="ATXid_1", status=status, failureReason="UserDoesNotExist"))
    assert [(each.reference, each.state) for each in heard.events if isinstance(each, DeliveryReport)] == (
        [("ATXid_1", NotificationState(state))] if state else []
    )


def test_africas_talking_hands_over_what_people_write() -> None:
    """The sender is a phone number, the id tells repetitions apart."""
    heard = hears("africastalking", AT, form(from_="+256700000001", to="1234", text=" 1 \x00", id="9", date="x"))
    assert heard.events == (IncomingText("africastalking", "+256700000001", "1", "9"),)


@pytest.mark.parametrize("body", [b"", b"\xff", b"x=1", form(status="Success"), form(text="1")])
def test_africas_talking_never_posts_this(body: bytes) -> None:
    """It is refused as the sender's fault."""
    with pytest.raises(CallbackRefusedError):
        hears("africastalking", AT, body)


def from_phone(document: dict[str, Any], secret: str = SECRET) -> Heard:
    """Hand over what a phone that serves as a gateway posts."""
    body, moment = json.dumps(document).encode(), "1800000000"
    signature = hmac.new(secret.encode(), body + moment.encode(), hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-signature": signature, "x-timestamp": moment}
    return hears("sms_gateway", ANDROID, body, headers)


def test_a_gateway_is_read_as_the_settings_say() -> None:
    """Reports and texts are told apart by their fields; other events are taken and mean nothing."""
    delivered = from_phone({"event": "sms:delivered", "id": "e1", "payload": {"messageId": "m1"}})
    failed = from_phone({"event": "sms:failed", "id": "e2", "payload": {"messageId": "m1", "reason": "no signal"}})
    text = from_phone({"event": "sms:received", "id": "e3", "payload": {"phoneNumber": "0700000001", "message": "2"}})
    sent = from_phone({"event": "sms:sent", "id": "e4", "payload": {"messageId": "m1"}})
    assert delivered.events == (DeliveryReport("sms_gateway", "m1", NotificationState.DELIVERED),)
    assert [each.sentence for each in failed.events if isinstance(each, DeliveryReport)] == [
        "the SMS gateway reports sms:failed no signal"
    ]
    assert text.events == (IncomingText("sms_gateway", "+256700000001", "2", "e3"),)
    assert sent.events == ()


def test_a_gateway_with_a_wrong_signature_is_not_believed() -> None:
    """Whoever knows the address alone can say nothing."""
    with pytest.raises(CallbackRefusedError, match="signature"):
        from_phone({"event": "sms:delivered", "payload": {"messageId": "m1"}}, "other")


@pytest.mark.parametrize(
    ("number", "spelt"),
    [("+256 700-000001", "+256700000001"), ("00256700000001", "+256700000001"), ("256700000001", "+256700000001"),
     ("0700000001", "+256700000001"), ("MTN", "MTN"), ("8000", "8000")],
)  # fmt: skip
def test_senders_are_spelt_as_in_the_registry(number: str, spelt: str) -> None:
    """So that the contact is found; short codes and names stay."""
    assert international(number, "256") == spelt


def from_meta(value: dict[str, Any], secret: str = SECRET) -> Heard:
    """Hand over what Meta posts."""
    value = {"metadata": {"phone_number_id": "99"}, **value}
    body = json.dumps({"entry": [{"changes": [{"value": value}]}]}).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hears("whatsapp", META, body, {"x-hub-signature-256": f"sha256={digest}"})


def test_whatsapp_reports_and_hands_over_texts() -> None:
    """Read is delivered; other numbers of the same app are not ours; a forged post is refused."""
    message = {"from": "256700000001", "id": "w1", "type": "text", "text": {"body": "1"}}
    statuses = [
        {"id": "a", "status": "read"},
        {"id": "b", "status": "failed", "errors": [{"code": 131047}]},
        {"id": "c", "status": "sent"},
    ]
    text, read, failed = from_meta({"messages": [message], "statuses": statuses}).events
    assert text == IncomingText("whatsapp", "+256700000001", "1", "w1")
    assert isinstance(read, DeliveryReport)
    assert read.state is NotificationState.DELIVERED
    assert isinstance(failed, DeliveryReport)
    assert "template" in failed.sentence
    assert from_meta({"metadata": {"phone_number_id": "1"}, "messages": [message]}).events == ()
    with pytest.raises(CallbackRefusedError):
        from_meta({"messages": [message]}, "other")


def test_whatsapp_is_answered_with_its_challenge() -> None:
    """Only where it knows the token."""
    query = {"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "42"}
    assert hears("whatsapp", META, query=query, method="GET").answer == b"42"
    with pytest.raises(CallbackRefusedError):
        hears("whatsapp", META, query={**query, "hub.verify_token": "no"}, method="GET")


def test_digits_pressed_in_a_call_are_an_answer() -> None:
    """An answered call is delivered; an unsigned report is refused."""
    body = json.dumps({"id": "c1", "status": "answered", "to": "+256700000001", "digits": "1"}).encode()
    signed = {name.lower(): value for name, value in signed_headers("k", body, secret=SECRET, unix_seconds=1).items()}
    assert hears("voice", VOICE, body, signed).events == (
        DeliveryReport("voice", "c1", NotificationState.DELIVERED),
        IncomingText("voice", "+256700000001", "1", "c1"),
    )
    with pytest.raises(CallbackRefusedError):
        hears("voice", VOICE, body)


async def test_a_callback_is_answered_when_all_of_it_is_kept() -> None:
    """What could not be kept is not answered; a wrong token or channel leads nowhere."""
    kept: list[object] = []

    async def keep(event: DeliveryReport | IncomingText) -> None:
        kept.append(event)

    async def fail(_: DeliveryReport | IncomingText) -> None:
        raise OSError("disk full")

    settings = AlertsSettings.model_validate({"notifiers": {"africastalking": AT}}).notifiers
    hear, deaf = hear_callbacks(settings, keep), hear_callbacks(settings, fail)
    assert hear is not None
    assert deaf is not None
    callback = a_callback(form(id="1", status="Success"))
    assert await hear("africastalking", TOKEN, callback) is not None
    assert await hear("africastalking", TOKEN[::-1], callback) is None
    assert await hear("whatsapp", TOKEN, callback) is None
    assert len(kept) == 1
    with pytest.raises(OSError, match="disk full"):
        await deaf("africastalking", TOKEN, callback)
    assert hear_callbacks(AlertsSettings().notifiers, keep) is None


async def test_telegram_confirms_only_what_is_kept() -> None:
    """A text that could not be kept is fetched again; the next question confirms the others."""
    texts = [{"update_id": n, "message": {"chat": {"id": 1234}, "text": str(n)}} for n in (5, 6)]
    kept: list[str] = []

    async def keep(event: DeliveryReport | IncomingText) -> None:
        assert isinstance(event, IncomingText)
        if event.text == "6" and not pauses:
            raise OSError("disk full")
        kept.append(f"{event.sender}: {event.text}")

    pauses: list[float] = []
    done = asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 1:
            done.set()
            await asyncio.Event().wait()

    answers = ({"ok": True, "result": texts}, {"ok": True, "result": texts[1:]}, {"ok": False, "description": "no"})
    async with a_gateway(*map(json_answer, answers)) as gateway, open_peer("Telegram", timeout_seconds=5) as peer:
        settings = TelegramSettings.model_validate({"token": SECRET, "url": gateway.url, "poll_seconds": 0})
        listening = asyncio.create_task(TelegramEar(settings, peer, keep, pause=pause).run())
        await asyncio.wait_for(done.wait(), 20)
        listening.cancel()
    assert kept == ["1234: 5", "1234: 6"]
    assert [json.loads(asked.body)["offset"] for asked in gateway.asked] == [0, 6, 7]
