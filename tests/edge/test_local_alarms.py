"""Local alarms as a whole: an agent's samples in; outputs, events and messages out; over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.episode_event import EpisodeEvent
from domain.instant import MINUTE_MS
from domain.receipt import Receipt
from edge.alarms.at import Sent, Trouble
from edge.alarms.board import Alarm
from edge.alarms.courier import Courier
from edge.alarms.link_watch import LinkWatch
from edge.alarms.signals import Signals
from edge.alarms.store import AlarmStore, Event
from edge.alarms.telephone import Telephone
from edge.alarms.watch import LocalAlarms
from tests.edge.local_alarms import DIRECTORY, RULES, START_MS, alarm_settings, fridge, new_judge

WAIT_SECONDS = 20.0
SMS = {"port": "/dev/null", "numbers": ["+256700000001", "+256700000002"]}


@dataclass
class Bench:
    """One life of the alarms of a node, with time that a test moves."""

    folder: Path
    down_after_s: float = 0.0
    """0: the link is down from the beginning."""
    troubles: list[Trouble | None] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    minute: float = 0.0
    trusted: bool = True
    alarms: LocalAlarms = field(init=False)
    courier: Courier = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, number: str, text: str) -> Sent:
        """Stand in for the modem."""
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is None:
            self.sent.append((number[-1], text))
        self.changed.set()
        return Sent(trouble, "")

    def show(self, alarms: list[Alarm]) -> None:
        """Stand in for the outputs."""
        self.shown = [alarm.episode.rule for alarm in alarms]
        self.changed.set()

    def elapsed_ms(self) -> int:
        """Return the machine's own time."""
        return round((self.minute + 1) * MINUTE_MS)

    @asynccontextmanager
    async def life(self, **changed: Any) -> AsyncIterator[None]:
        """Run the alarms until the end of the block."""
        settings, store = alarm_settings(**changed), AlarmStore.open(self.folder / "alarms")
        memory = store.load()
        judge = new_judge(memory.stretches, memory.last_ms)
        judge.restore(memory.engine, memory.records)
        signals = Signals([], silence_s=60.0)
        signals.show = self.show  # type: ignore[method-assign,assignment]  # nothing is connected
        link = LinkWatch(self.down_after_s, 0.0 if self.down_after_s == 0 else float("inf"))
        self.courier = Courier(store, link, receipt_timeout_s=0.05)
        telephone = None
        if settings.sms is not None:
            telephone = Telephone(settings.sms, self, store, messages=memory.messages, now_ms=self.elapsed_ms)
        self.alarms = LocalAlarms(
            settings,
            rules=RULES,
            directory=DIRECTORY,
            judge=judge,
            store=store,
            signals=signals,
            link=link,
            courier=self.courier,
            telephone=telephone,
            elapsed_ms=self.elapsed_ms,
            wall_ms=lambda: START_MS + round(self.minute * MINUTE_MS),
            clock_trusted=lambda: self.trusted,
        )
        tasks = [asyncio.create_task(self.alarms.run())]
        if telephone is not None:
            tasks.append(asyncio.create_task(telephone.run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def measure(self, value: float, minutes: int = 1) -> None:
        """Measure so many minutes, one by one."""
        for _ in range(minutes):
            self.minute += 1
            self.changed.clear()
            self.alarms.observe([fridge(self.minute, value)])
            await self.until(self.changed.is_set)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return as soon as the condition holds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds():  # noqa: ASYNC110 - rounds follow one another without a word
                await asyncio.sleep(0.001)

    async def waiting(self) -> list[EpisodeEvent]:
        """Return the events without a receipt."""
        events: list[Event] = await self.courier.look()
        return [EpisodeEvent.decode(event.payload) for event in events]


async def test_an_alarm_is_shown_told_and_over(tmp_path: Path) -> None:
    """From the first warm reading to the all-clear."""
    bench = Bench(tmp_path)
    async with bench.life(sms=SMS):
        await bench.measure(9.0, 4)
        await bench.until(lambda: bench.shown == ["warm"])
        await bench.until(lambda: len(bench.sent) == 2)
        assert [each.episode.ended_at for each in await bench.waiting()] == [None]
        await bench.measure(5.0)
        await bench.until(lambda: bench.shown == [])
        await bench.until(lambda: len(bench.sent) == 4)
        (event,) = await bench.waiting()
        assert event.episode.ended_at is not None
    assert [number for number, _ in bench.sent] == ["1", "2", "1", "2"]
    assert [text.split()[0] for _, text in bench.sent] == ["ALARM", "ALARM", "OK", "OK"]


async def test_a_restart_repeats_no_message_and_forgets_none(tmp_path: Path) -> None:
    """One message an episode and number, over several lives, one of which has no network."""
    bench = Bench(tmp_path, troubles=[None, Trouble.NO_NETWORK])
    async with bench.life(sms=SMS):
        await bench.measure(9.0, 4)
        await bench.until(lambda: len(bench.sent) == 1 and not bench.troubles)
    async with bench.life(sms=SMS):
        await bench.measure(9.0, 2)
        await bench.until(lambda: len(bench.sent) == 2)
        await bench.measure(5.0)
    async with bench.life(sms=SMS):
        await bench.until(lambda: len(bench.sent) == 4)
        await bench.measure(5.0)
    assert sorted((number, text.split()[0]) for number, text in bench.sent) == [
        ("1", "ALARM"),
        ("1", "OK"),
        ("2", "ALARM"),
        ("2", "OK"),
    ]


async def test_while_the_link_is_up_only_chosen_rules_are_heard_here(tmp_path: Path) -> None:
    """The service tells the others; nobody gets two messages."""
    bench = Bench(tmp_path, down_after_s=1000.0)
    async with bench.life(sms=SMS):
        await bench.measure(9.0, 5)
        await bench.measure(-1.0, 2)
        await bench.until(lambda: bench.shown == ["freezing"])
        assert len(await bench.waiting()) == 2
    assert bench.sent == []


async def test_without_a_trusted_clock_the_alarm_sounds_and_nothing_is_told(tmp_path: Path) -> None:
    """What is told has to have the right time: it waits for that."""
    bench = Bench(tmp_path, trusted=False)
    async with bench.life():
        await bench.measure(9.0, 5)
        await bench.until(lambda: bench.shown == ["warm"])
        assert await bench.waiting() == []
        bench.trusted = True
        await bench.measure(9.0)
        assert len(await bench.waiting()) == 1


async def test_events_are_sent_until_a_receipt_names_them(tmp_path: Path) -> None:
    """Again and again over one connection, and over the next one too."""
    bench, published = Bench(tmp_path), asyncio.Queue[bytes]()
    async with bench.life():
        await bench.measure(9.0, 4)
        for _ in range(2):
            sending = asyncio.create_task(bench.courier.send(published.put))
            async with asyncio.timeout(WAIT_SECONDS):
                first, second = await published.get(), await published.get()
            assert first == second
            sending.cancel()
            await asyncio.wait({sending})
        event = EpisodeEvent.decode(first)
        await bench.courier.receipted(Receipt.of(event.epoch, [event.seq]))
        assert await bench.waiting() == []
        assert event.episode.rule == "warm"
