"""What answers of gateways mean: taken, to be tried again, or refused for good; and nothing secret is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.http import judged, without_secrets
from alerts.notifiers.notifier import Delivery, Notifier, OutgoingMessage
from alerts.notifiers.signing import is_signed
from alerts.notifiers.table import NOTIFIERS
from tests.alerts.notifiers.given import (
    SECRET,
    TOKEN,
    Gateway,
    a_callback,
    a_gateway,
    a_message,
    a_workplace,
    json_answer,
    text_answer,
)

ROWS = {row.name: row for row in NOTIFIERS}
DELIVERED, SUBMITTED, FAILED = NotificationState.DELIVERED, NotificationState.SUBMITTED, NotificationState.FAILED


class Kind(NamedTuple):
    """A notifier: its settings but for the address, an address of somebody, an answer of success."""

    settings: dict[str, Any]
    address: str
    success: Any
    reference: str


AT_OK = {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [{"statusCode": 101, "messageId": "ATXid_1"}]}}
KINDS = {
    "africastalking": Kind({"username": "vitals", "api_key": SECRET}, "+256700000001", AT_OK, "ATXid_1"),
    "sms_gateway": Kind(
        {"form": {"to": "{to}", "text": "{text}", "pw": "{password}"}, "password": SECRET,
         "answer": {"reference_pointer": "/messages/0/id", "accepted": "messages"}},
        "+256700000001", {"messages": [{"id": 12}]}, "12",
    ),
    "telegram": Kind({"token": SECRET, "listen": False}, "1234", {"ok": True, "result": {"message_id": 5}}, "1234/5"),
    "whatsapp": Kind(
        {"phone_number_id": "99", "access_token": SECRET}, "+256700000001", {"messages": [{"id": "wamid.1"}]}, "wamid.1"
    ),
    "ntfy": Kind({"token": SECRET}, "kasese-nurses", {"id": "n1"}, "n1"),
    "voice": Kind({"secret": SECRET}, "+256700000001", {"id": "c1"}, "c1"),
}  # fmt: skip
every = pytest.mark.parametrize("name", KINDS)


def opened(name: str, url: str, **more: Any) -> AbstractAsyncContextManager[Notifier]:
    """Open a notifier that speaks to a gateway."""
    row = ROWS[name]
    return row.open(row.settings.model_validate({**KINDS[name].settings, "url": url, **more}), a_workplace())


async def sent(name: str, gateway: Gateway, message: OutgoingMessage | None = None, **more: Any) -> Delivery:
    """Send a message through a gateway."""
    async with opened(name, gateway.url + "/x", **more) as notifier:
        return await notifier.send(message or a_message(KINDS[name].address))


@every
async def test_what_is_taken_has_the_name_that_the_gateway_gives_it(name: str) -> None:
    """Without reports to come, what a gateway takes counts as delivered."""
    async with a_gateway(json_answer(KINDS[name].success)) as gateway:
        delivery = await sent(name, gateway)
    assert (delivery.state, delivery.reference) == (DELIVERED, KINDS[name].reference)
    assert len(gateway.asked) == 1


@pytest.mark.parametrize("name", ["africastalking", "whatsapp", "voice"])
async def test_what_is_taken_is_submitted_where_a_report_will_come(name: str) -> None:
    """A gateway that may call back has the last word."""
    async with a_gateway(json_answer(KINDS[name].success)) as gateway:
        assert (await sent(name, gateway, callback_token=TOKEN)).state is SUBMITTED


@every
@pytest.mark.parametrize(("status", "recoverable"), [(401, True), (500, True), (503, True), (429, True), (413, False)])
async def test_a_refusal_says_whether_to_try_again_and_no_secret(name: str, status: int, recoverable: bool) -> None:
    """A gateway in trouble or being mended gets another chance; a body that quotes a secret is not believed."""
    async with a_gateway(text_answer(f"no: {SECRET}", status)) as gateway:
        delivery = await sent(name, gateway)
    assert (delivery.state, delivery.recoverable) == (FAILED, recoverable)
    assert str(status) in delivery.sentence
    assert SECRET not in delivery.sentence


@every
async def test_a_busy_gateway_says_when(name: str) -> None:
    """Retry-After is passed on."""
    async with a_gateway(text_answer("slowly", 429, {"Retry-After": "17"})) as gateway:
        assert (await sent(name, gateway)).retry_after_seconds == 17


@pytest.mark.parametrize("name", [name for name in KINDS if name != "voice"])
@pytest.mark.parametrize("body", ["<html>please log in</html>", "{}", "[]", '{"SMSMessageData": 1}', "[" * 9000])
async def test_an_answer_that_is_none_of_the_gateway_is_tried_again(name: str, body: str) -> None:
    """The login page of a network answers 200 to everything."""
    async with a_gateway(text_answer(body)) as gateway:
        delivery = await sent(name, gateway)
    assert (delivery.state, delivery.recoverable) == (FAILED, True)


@every
async def test_a_gateway_that_stalls_or_is_away_is_tried_again(name: str) -> None:
    """A body that does not come is a missing answer; no sentence quotes an address with a secret."""
    async with a_gateway(text_answer("")) as gateway:
        gateway.stalls = True
        stalled = await sent(name, gateway, timeout_seconds=0.1)
    away = await sent(name, gateway)
    for delivery in (stalled, away):
        assert (delivery.state, delivery.recoverable) == (FAILED, True)
        assert SECRET not in delivery.sentence


@every
async def test_a_redirect_is_not_followed(name: str) -> None:
    """The message goes where the operator said or nowhere."""
    async with a_gateway(text_answer("", 307, {"Location": "/elsewhere"})) as gateway:
        assert (await sent(name, gateway)).state is FAILED
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    ("code", "recoverable"), [(402, True), (403, False), (405, True), (406, False), (500, True), (777, True)]
)
async def test_africas_talking_says_it_per_recipient(code: int, recoverable: bool) -> None:
    """Its HTTP status is one of success even where nothing was sent."""
    recipients = [{"statusCode": code, "status": "Word", "messageId": "None"}]
    async with a_gateway(json_answer({"SMSMessageData": {"Recipients": recipients}}, 201)) as gateway:
        delivery = await sent("africastalking", gateway, sender="VITALS")
    assert (delivery.state, delivery.recoverable) == (FAILED, recoverable)
    (asked,) = gateway.asked
    assert asked.headers["apiKey"] == SECRET
    form = parse_qs(asked.body.decode())
    assert (form["to"], form["from"], form["message"]) == (["+256700000001"], ["VITALS"], [a_message().short_text])


async def test_africas_talking_without_recipients_took_nothing() -> None:
    """An unknown sender id is told in the message alone."""
    answer = {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}}
    async with a_gateway(json_answer(answer, 201)) as gateway:
        delivery = await sent("africastalking", gateway)
    assert delivery.state is FAILED
    assert "InvalidSenderId" in delivery.sentence


@pytest.mark.parametrize(
    ("status", "description", "parameters", "recoverable", "word"),
    [
        (400, "Bad Request: chat not found", {}, False, "write to the bot"),
        (403, "Forbidden: bot was blocked by the user", {}, False, "unblock"),
        (429, "Too Many Requests", {"retry_after": 3}, True, "Too Many"),
        (401, "Unauthorized", {}, True, "token"),
        (400, "upgraded", {"migrate_to_chat_id": -100}, False, "-100"),
    ],
)
async def test_telegram_refuses_in_words(
    status: int, description: str, parameters: dict[str, int], recoverable: bool, word: str
) -> None:
    """The sentence says what to do, and how long to wait stands in the document."""
    document = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    async with a_gateway(json_answer(document, status)) as gateway:
        delivery = await sent("telegram", gateway)
    assert (delivery.recoverable, delivery.retry_after_seconds) == (recoverable, parameters.get("retry_after"))
    assert word in delivery.sentence


@pytest.mark.parametrize(
    ("code", "recoverable"), [(130429, True), (131047, False), (131026, False), (190, True), (100, False)]
)
async def test_whatsapp_refuses_by_code(code: int, recoverable: bool) -> None:
    """Rates and accounts mend, a person without WhatsApp does not."""
    async with a_gateway(json_answer({"error": {"code": code, "message": "m"}}, 400)) as gateway:
        delivery = await sent("whatsapp", gateway)
    assert (delivery.state, delivery.recoverable) == (FAILED, recoverable)
    assert str(code) in delivery.sentence


async def test_whatsapp_alarms_use_the_template_and_replies_are_free() -> None:
    """Only somebody who has just written may get a free text."""
    reply = a_message(kind=NotificationKind.REPLY, short_text="thank you")
    async with a_gateway(json_answer(KINDS["whatsapp"].success)) as gateway:
        await sent("whatsapp", gateway, template={"name": "alarm"})
        await sent("whatsapp", gateway, reply, template={"name": "alarm"})
    alarm, answer = (json.loads(asked.body) for asked in gateway.asked)
    (parameter,) = alarm["template"]["components"][0]["parameters"]
    assert parameter["text"] == a_message().short_text
    assert answer["text"]["body"] == "thank you"


@pytest.mark.parametrize(
    ("severity", "kind", "priority"),
    [("critical", "alarm", 5), ("warning", "worse", 4), ("info", "alarm", 3), ("critical", "all_clear", 3)],
)
async def test_ntfy_is_as_loud_as_it_is_bad(severity: str, kind: str, priority: int) -> None:
    """A tap leads to the alert."""
    message = a_message("topic", kind=NotificationKind(kind), facts={"severity": severity})
    async with a_gateway(json_answer({"id": "1"})) as gateway:
        await sent("ntfy", gateway, message, link="https://vitals.example")
    document = json.loads(gateway.asked[0].body)
    assert (document["priority"], document["click"]) == (priority, "https://vitals.example/alerts/7")
    assert gateway.asked[0].headers["Authorization"] == f"Bearer {SECRET}"


async def test_ntfy_refuses_what_is_no_topic() -> None:
    """Nothing is asked then."""
    async with a_gateway(json_answer({"id": "1"})) as gateway:
        delivery = await sent("ntfy", gateway, a_message("not/a topic"))
    assert (delivery.state, delivery.recoverable, gateway.asked) == (FAILED, False, [])


async def test_voice_asks_in_the_language_of_the_one_who_is_called() -> None:
    """The request is signed as a webhook's is."""
    async with a_gateway(json_answer({})) as gateway:
        delivery = await sent("voice", gateway, a_message(facts={"language": "sw"}))
    (asked,) = gateway.asked
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert is_signed(headers, asked.body, SECRET)
    assert not is_signed(headers, asked.body + b" ", SECRET)
    assert json.loads(asked.body)["language"] == "sw"
    assert delivery.reference == a_message().key


async def test_a_gateway_with_a_query_gets_every_character() -> None:
    """Whatever stands in a text, nothing of it becomes another parameter or placeholder."""
    query = {
        "to": "{to}",
        "text": "{text}",
        "password": "{password}",
        "coding": "{coding}",
        "dlr-url": "https://x/?id={key}&s=%d",
    }
    text = "a&password=b {password} +100% ü\n#ሰላም"
    settings: dict[str, Any] = {"method": "GET", "form": None, "query": query, "answer": {"accepted": "^(0|3):"}}
    async with a_gateway(text_answer("0: Accepted for delivery", 202)) as gateway:
        delivery = await sent("sms_gateway", gateway, a_message(short_text=text), **settings)
    (asked,) = gateway.asked
    wanted = {
        "to": "+256700000001",
        "text": text,
        "password": SECRET,
        "coding": "2",
        "dlr-url": "https://x/?id=7-1-amina-x&s=%d",
    }
    assert asked.query == wanted
    assert delivery.reference == "7-1-amina-x"


async def test_a_gateway_with_json_may_refuse_for_good_by_words() -> None:
    """A pattern tells which answers are final; headers and bodies are templates too."""
    login = base64.b64encode(b"a:b").decode()
    settings: dict[str, Any] = {
        "form": None,
        "json_body": {"textMessage": {"text": "{text}"}, "phoneNumbers": ["{to}"], "id": "{key}", "ttl": 3600},
        "headers": {"Authorization": f"Basic {login}"},
        "answer": {"refused": "invalid number"},
    }
    async with a_gateway(text_answer("invalid number", 500)) as gateway:
        delivery = await sent("sms_gateway", gateway, **settings)
    assert (delivery.state, delivery.recoverable) == (FAILED, False)
    assert json.loads(gateway.asked[0].body)["phoneNumbers"] == ["+256700000001"]


@given(st.integers(min_value=100, max_value=999))
def test_every_status_means_something(status: int) -> None:
    """A failure says which status it was; trouble of the other side is always tried again."""
    delivery = judged("the gateway", status, "")
    if delivery.state is FAILED:
        assert str(status) in delivery.sentence
        assert delivery.recoverable or status < 500
    else:
        assert 200 <= status < 300


@given(st.text(), st.lists(st.text(alphabet="abcd", min_size=4), max_size=4), st.text())
def test_no_secret_is_left_in_a_sentence(before: str, secrets: list[str], after: str) -> None:
    """Also where one secret is the beginning of another."""
    told = without_secrets(before + "".join(secrets) + after, secrets)
    assert not any(secret in told for secret in secrets)


def test_the_hash_of_whatsapp_is_what_meta_documents() -> None:
    """HMAC-SHA256 of the body under the secret of the app, in hexadecimal."""
    row, body = ROWS["whatsapp"], b'{"entry": []}'
    settings = row.settings.model_validate(
        {**KINDS["whatsapp"].settings, "app_secret": SECRET, "callback_token": TOKEN}
    )
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert row.hear is not None
    assert row.hear(settings, a_callback(body, {"x-hub-signature-256": f"sha256={digest}"})).events == ()
