"""The service of a story: the real parts as ``app.parts`` joins them, stepped by hand on a clock that is moved by hand.

Only the two ends are the story's: payloads are handed to the pipeline as the source would, and what the console
notifier writes is kept with the second at which it was written.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from alerts.store import AlertStore
from app.config import ServiceConfig
from app.parts import Parts, Surroundings
from app.stories.clock import HandClock
from app.stories.deeds import do
from app.stories.schedule import Answer, Arrival, Deed, Event, Stop, Unreached
from dashboards.pages.words import nothing_to_say
from domain.document import Document
from domain.instant import to_datetime, to_ms
from domain.receipt import Receipt
from domain.topics import UpLane, up
from rules.model import Rule

PATIENCE_REAL_SECONDS = 20.0
_NEVER_MS = 2**62


class Said(NamedTuple):
    """A line that the console notifier wrote."""

    at_ms: int
    line: str


@dataclass
class Service:
    """A service that lives in a folder and can be stopped and opened again."""

    config: ServiceConfig
    rules: Sequence[Rule]
    registry: Document
    clock: HandClock
    said: list[Said] = field(default_factory=list)
    _unreached: dict[str, int] = field(default_factory=dict)
    """Until when messages to contacts fail."""
    parts: Parts = field(init=False)
    alerts: AlertStore = field(init=False)

    async def open(self) -> None:
        """Open all parts on what the folder holds."""
        around = Surroundings(self.config, self.clock, self._hear, nothing_to_say, (self.registry,))
        self._stack = AsyncExitStack()
        self.parts = await Parts.open(around, self._stack, self.rules)
        self.alerts = self.parts.judgement.alerts
        self.alerts.on_publish(self._note_news)
        self._news = True
        self._receipted = asyncio.Event()
        self.parts.intake.source.send_receipt = self._note_receipt  # type: ignore[method-assign]  # there is no broker
        self._tick_ms = round(self.config.judge.tick_seconds * 1000)
        self._next_tick_ms = self.clock.now_ms() + self._tick_ms
        self._pipeline = asyncio.create_task(self.parts.intake.pipeline.run(), name="pipeline")
        await self._judge()

    async def close(self) -> None:
        """Close everything; what is not on disk is forgotten."""
        self._pipeline.cancel()
        await asyncio.gather(self._pipeline, return_exceptions=True)
        await self._stack.aclose()

    async def let_pass(self, until_ms: int) -> None:
        """Let time pass: the judge ticks on the way."""
        while (next_ms := await self._next_ms()) < until_ms:
            self.clock.move_to(next_ms)
            if next_ms >= self._next_tick_ms:
                self._next_tick_ms += self._tick_ms
            await self._judge()
        self.clock.move_to(until_ms)

    async def take(self, event: Event) -> None:
        """Let an event happen now."""
        match event:
            case Arrival():
                await self._deliver(event)
            case Stop(until_ms=until_ms):
                await self.close()
                self.clock.move_to(until_ms)
                await self.open()
            case Unreached(contact=contact, until_ms=until_ms):
                self._unreached[contact] = until_ms
            case Deed():
                directory = self.parts.ground.registry.directory
                await do(event, self.alerts, self.parts.judgement.correspondence, directory)
                self._news = True
            case Answer(alert=alert, by=by):
                await self.alerts.acknowledge(alert, by=by, now=to_datetime(self.clock.now_ms()), origin="story")
        await self._judge()

    async def _deliver(self, message: Arrival) -> None:
        """Hand a message over as the source would, and wait until it is committed and told."""
        accept, now_ms = self.parts.intake.pipeline.accept, self.clock.now_ms()
        nodes = self.parts.ground.registry.directory.nodes
        self._receipted.clear()
        async with asyncio.timeout(PATIENCE_REAL_SECONDS):
            await accept(up(message.node, message.lane), message.payload, now_ms)
            if not message.receipted or message.node not in nodes:
                # No receipt will follow it; one follows an empty message behind it.
                node = next(iter(nodes))
                empty = json.dumps([{"bn": f"{node}/", "epoch": "flush", "seq": 0}])
                lane = UpLane.LIVE if message.lane is UpLane.EVENT else message.lane
                await accept(up(node, lane), empty.encode(), now_ms)
            await self._receipted.wait()

    async def _judge(self) -> None:
        """Judge everything that is there, do what its time has come for, and send what that queued."""
        while await self.parts.judgement.judge.turn():
            pass
        while self._news or await self._next_due_ms() <= self.clock.now_ms():
            await self.alerts.agenda.do(to_datetime(self.clock.now_ms()))
            await self.parts.judgement.dispatcher.dispatch_due()
            self._news = False

    async def _next_ms(self) -> int:
        """Return when something happens by itself: a tick of the judge, or what waits for its time."""
        return max(self.clock.now_ms(), min(self._next_tick_ms, await self._next_due_ms()))

    async def _next_due_ms(self) -> int:
        due = await self.alerts.agenda.next_due(to_datetime(self.clock.now_ms()))
        return _NEVER_MS if due is None else to_ms(due)

    async def _note_receipt(self, node: str, receipt: Receipt) -> None:
        self._receipted.set()

    def _note_news(self) -> None:
        self._news = True

    def _hear(self, line: str) -> None:
        contact = line.removeprefix("to ").partition(" ")[0]
        if self.clock.now_ms() < self._unreached.get(contact, 0):
            raise OSError(f"{contact} cannot be reached")
        self.said.append(Said(self.clock.now_ms(), line))
