"""The webhook against a real HTTP server: signed, timed out, retried, and understood when it refuses."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerts.dispatch import Dispatcher
from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.notifier import Delivery, OutgoingMessage, Workplace
from alerts.notifiers.signing import KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from alerts.notifiers.webhook import WebhookNotifier, WebhookSettings, address_of, open_webhook
from alerts.routing import Audience, Route
from alerts.settings import DispatchSettings
from tests.alerts.given import NOON, StandingClock, a_judge, an_episode, ended, opened, sqlite_database
from tests.system.notif_receiver import HANG, receiving

pytestmark = pytest.mark.system

MESSAGE = OutgoingMessage(
    "7-1-system-webhook", 7, NotificationKind.ALARM, "", "", "s", "ALARM é", "l", {"value": "9 °C"}
)
SECRET = "between us"


def never(line: str) -> None:
    """Refuse to be called: a webhook writes nothing."""
    raise AssertionError(line)


@asynccontextmanager
async def a_webhook(url: str, **settings: object) -> AsyncIterator[WebhookNotifier]:
    """Give a webhook notifier whose real time stands still."""
    workplace = Workplace(writer=never, unix_seconds=NOON.timestamp)
    async with open_webhook(WebhookSettings.model_validate({"url": url, **settings}), workplace) as notifier:
        yield notifier


async def answer_to(status: int, headers: dict[str, str] | None = None) -> Delivery:
    """Return what the notifier makes of an answer."""
    async with receiving(status) as receiver, a_webhook(receiver.url) as notifier:
        receiver.headers = headers or {}
        return await notifier.send(MESSAGE)


async def test_a_receiver_can_check_who_sent_it_and_when() -> None:
    """The signature covers timestamp and body as they arrive, and the key names the message."""
    async with receiving() as receiver, a_webhook(receiver.url, secret=SECRET) as notifier:
        assert (await notifier.send(MESSAGE)).state is NotificationState.DELIVERED
    (request,) = receiver.requests
    timestamp = request.headers[TIMESTAMP_HEADER]
    expected = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers[SIGNATURE_HEADER] == f"sha256={expected}"
    assert int(timestamp) == NOON.timestamp()
    assert request.headers[KEY_HEADER] == request.document["key"] == MESSAGE.key
    assert request.document["facts"] == MESSAGE.facts


async def test_without_a_secret_nothing_is_signed() -> None:
    """No signature is better than one that looks like one."""
    async with receiving() as receiver, a_webhook(receiver.url) as notifier:
        await notifier.send(MESSAGE)
    assert SIGNATURE_HEADER not in receiver.requests[0].headers


@pytest.mark.parametrize(
    ("status", "recoverable"),
    [(500, True), (503, True), (429, True), (408, True), (401, True), (400, False), (410, False)],
)
async def test_answers_say_whether_to_try_again(status: int, recoverable: bool) -> None:
    """A receiver that is ill or being mended gets another chance, one that refuses the message does not."""
    delivery = await answer_to(status)
    assert (delivery.state, delivery.recoverable) == (NotificationState.FAILED, recoverable)
    assert str(status) in delivery.sentence


async def test_a_busy_receiver_says_when() -> None:
    """Retry-After is passed on, in seconds."""
    assert (await answer_to(503, {"Retry-After": "17"})).retry_after_seconds == 17.0
    assert (await answer_to(503, {"Retry-After": "soon"})).retry_after_seconds is None


async def test_a_redirect_is_not_followed() -> None:
    """The message goes where the operator said or nowhere."""
    async with receiving() as other:
        delivery = await answer_to(307, {"Location": other.url})
    assert delivery.state is NotificationState.FAILED
    assert other.requests == []


async def test_a_receiver_that_is_away_or_silent_is_tried_again() -> None:
    """A refused connection and a missing answer are failures for now."""
    async with receiving(HANG) as receiver, a_webhook(receiver.url, timeout_seconds=0.05) as notifier:
        silent = await notifier.send(MESSAGE)
    async with a_webhook(receiver.url) as notifier:
        away = await notifier.send(MESSAGE)
    assert silent.recoverable
    assert away.recoverable
    assert "0.05 s" in silent.sentence


async def test_a_receiver_that_fails_hangs_and_recovers_gets_everything_in_order(tmp_path: Path) -> None:
    """Alarm and all-clear arrive once each in the end, under keys that let repetitions be dropped."""
    route = Route("webhook", Audience.SYSTEM, address_of)
    async with (
        receiving(500, HANG, 429) as receiver,
        a_webhook(receiver.url, timeout_seconds=0.2) as notifier,
        sqlite_database(f"{tmp_path}/vitals.db") as database,
    ):
        judge, clock = await a_judge(database, [route]), StandingClock()
        dispatcher = Dispatcher(judge.store, {"webhook": notifier}, clock, DispatchSettings(), random=lambda: 0.5)
        await judge.record(opened(an_episode()))
        await judge.record(ended(an_episode()))
        while (due := await judge.store.outbox.next_due("webhook")) is not None:
            clock.move(max(due - clock.moment, due - due))
            await dispatcher.dispatch_due()
    assert [request.document["kind"] for request in receiver.requests] == ["alarm"] * 4 + ["all_clear"]
    assert len(set(receiver.keys)) == 2
    assert dispatcher.stats() == {("webhook", "retried"): 3, ("webhook", "delivered"): 2}
