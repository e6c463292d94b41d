"""Nodes that measure all the time and hold every batch until its receipt, and one that floods."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from urllib.parse import urlsplit

import aiomqtt

from domain.reading import Sample
from domain.topics import UpLane, up
from tests.collector.intake import payload
from tests.system.honest_sender import HonestSender

EVERY_SECONDS = 0.1
FLOOD_MESSAGES = 3_000


class MeasuringNode:
    """Measures all its channels every tenth of a second, and remembers what it sent."""

    def __init__(self, url: str, name: str, channels: list[str], *, late_ms: int) -> None:
        """``late_ms`` makes everything so much older than it is: hours that are over change too."""
        self.name = name
        self._late_ms = late_ms
        self.channels = channels
        """Names of what it measures; more may be added."""
        self.sent: defaultdict[str, dict[int, float]] = defaultdict(dict)
        """Values by moment, by channel."""
        self.last = b""
        self._sender = HonestSender(url, name, {})
        self._sender.more_may_come = True
        self._number = 0

    async def run(self) -> None:
        """Send what is measured; return when measuring has stopped and everything is receipted."""
        await self._sender.run()

    async def measure(self, until: asyncio.Event) -> None:
        """Measure until the event is set."""
        measured_ms = 0
        while not until.is_set():
            measured_ms = max(measured_ms + 1, time.time_ns() // 1_000_000 - self._late_ms)
            self._number += 1
            samples = [Sample(channel, measured_ms, self._value(n)) for n, channel in enumerate(self.channels)]
            for channel, at_ms, value, *_ in samples:
                self.sent[channel][at_ms] = value or 0.0
            self.last = payload(self.name, self._number, *samples)
            self._sender.add(self._number, self.last)
            await asyncio.sleep(EVERY_SECONDS)
        self._sender.more_may_come = False
        self._sender.progress.set()

    def _value(self, channel: int) -> float:
        """Return what is below, within and above most limits by turns."""
        return (self._number // 7 * 13 + channel * 3) % 121 / 10


async def flood(url: str, node: MeasuringNode, chance: random.Random) -> None:
    """Publish as fast as the broker takes it: garbage, nodes that nobody knows, and what was sent before."""
    parts = urlsplit(url)
    repeated = node.last
    try:
        async with aiomqtt.Client(parts.hostname or "", parts.port or 0, identifier="flood", timeout=3) as client:
            for number in range(FLOOD_MESSAGES):
                topic, content = chance.choice(
                    (
                        (up("noise", UpLane.LIVE), chance.randbytes(chance.randint(0, 600))),
                        (up(f"unknown-{number % 50}", UpLane.BACKFILL), repeated),
                        (up(node.name, UpLane.BACKFILL), repeated),
                    )
                )
                await client.publish(topic, content, qos=0)
    except aiomqtt.MqttError:
        return  # the broker died under it
