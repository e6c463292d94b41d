"""A connection that is told to end in the very moment in which it comes about ends, and does not live on for ever.

``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes in the same turn of the event loop as what it waits
for, and aiomqtt waits so for the broker's CONNACK and SUBACK. Here the cancellation comes exactly then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiomqtt
import pytest

from app.demo.broker import embedded_broker
from collector.settings import MqttSourceSettings
from collector.sources.foreign import ForeignSource
from collector.sources.mqtt import MqttSource
from domain.instant import Clock
from tests.system.forwarding import WallClock

pytestmark = pytest.mark.system

PATIENCE_SECONDS = 10.0
MOMENTS = ("_on_connect", "_on_subscribe")
"""aiomqtt's callbacks that complete what it waits for."""


async def accept(*_: object, **__: object) -> None:
    """Take nothing."""


def mqtt(settings: MqttSourceSettings, clock: Clock) -> MqttSource:
    """Return the source of nodes."""
    return MqttSource(settings, accept=accept, clock=clock)


def foreign(settings: MqttSourceSettings, clock: Clock) -> ForeignSource:
    """Return a source of foreign devices."""
    return ForeignSource(settings, ["tele/+/SENSOR"], wanted=lambda _: True, accept=accept, clock=clock)


def cancelling_at(monkeypatch: pytest.MonkeyPatch, moment: str) -> set[asyncio.Task[Any]]:
    """Cancel every task that keeps a connection when one is at this moment; return those that were cancelled."""
    original = getattr(aiomqtt.Client, moment)
    cancelled: set[asyncio.Task[Any]] = set()

    def then_cancel(client: aiomqtt.Client, *arguments: Any) -> None:
        original(client, *arguments)
        if not cancelled:
            cancelled.update(task for task in asyncio.all_tasks() if task.get_name() == "MQTT link")
            for task in cancelled:
                task.cancel()

    monkeypatch.setattr(aiomqtt.Client, moment, then_cancel)
    return cancelled


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("source_of", [mqtt, foreign])
async def test_a_cancellation_at_the_moment_of_connecting_counts(
    monkeypatch: pytest.MonkeyPatch, moment: str, source_of: Callable[[MqttSourceSettings, Clock], Any]
) -> None:
    """Whatever completes in the same turn, every connection of the source ends."""
    async with embedded_broker() as port:
        cancelled = cancelling_at(monkeypatch, moment)
        running = asyncio.create_task(source_of(MqttSourceSettings(url=f"mqtt://127.0.0.1:{port}"), WallClock()).run())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not cancelled:  # noqa: ASYNC110 -- a callback of aiomqtt has no event
                    await asyncio.sleep(0.01)
            _, still = await asyncio.wait(cancelled, timeout=PATIENCE_SECONDS)
            assert not still
        finally:
            running.cancel()
            for task in cancelled:
                task.cancel()
            await asyncio.wait({running}, timeout=PATIENCE_SECONDS)
