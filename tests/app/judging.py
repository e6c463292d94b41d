"""A judge on real files that can be killed at any of its steps and opened again, and streams with late data for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from alerts.dispatch import Dispatcher
from alerts.notification import NotificationKind
from alerts.notifiers.notifier import Delivery, OutgoingMessage
from alerts.routing import Audience, Route
from alerts.settings import AT_ONCE, DispatchSettings
from alerts.store import AlertStore, World
from app.clock import SteadyClock
from app.database import open_database
from app.documents import parse_document
from app.hearing import Hearing
from app.judge import Judge, JudgeSettings
from app.judge_state import JudgeState
from app.node_events import NodeEvents
from app.rulebook import rule_texts
from app.stories.clock import HandClock
from app.timekeeping import Timekeeper
from collector.journal.journal import Journal
from domain.directory import Directory
from domain.instant import MINUTE_MS, to_ms
from domain.people import Contact
from domain.places import Channel, Equipment, EquipmentKind, Facility, Node
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from rules.engine import Engine
from rules.loader import load_rules
from rules.model import Rule
from rules.settings import EngineSettings

START_MS = 1_772_431_200_000
CHANNELS = ("fridge-1", "fridge-2")
DIRECTORY = Directory(
    facilities=[Facility("clinic", "Clinic", "Uganda", "Western", "Kasese")],
    equipment=[Equipment(name, "clinic", EquipmentKind.FRIDGE, name) for name in CHANNELS],
    nodes=[Node("pi-1", "clinic", "Gateway")],
    channels=[
        Channel(name, "clinic", name, "pi-1", name, QUANTITIES["temperature"], timedelta(minutes=1))
        for name in CHANNELS
    ],
    contacts=[Contact("amina", "Amina", phone="+256700000001")],
)
RULES = load_rules(
    parse_document(
        """
        rules:
          - id: warm
            title: Too warm
            severity: warning
            applies_to: {quantity: temperature}
            when: {above: {limit: 8 °C, comparison: ">", for: 3min}}
          - id: cold
            title: Freezing
            severity: critical
            applies_to: {quantity: temperature}
            when: {below: {limit: 0 °C, comparison: "<=", for: 5min, clear: 2 °C}}
          - id: in-all
            title: Warm for ten minutes in all
            severity: warning
            applies_to: {quantity: temperature}
            when: {exposure: {above: {limit: 8 °C, comparison: ">"}, total: 10min, within: 1h}}
          - id: both
            title: Neither fridge is well
            severity: warning
            applies_to: {quantity: temperature, once_per: facility}
            when:
              quorum: {at_least: 2, of: {quantity: temperature}, hold: {above: {limit: 7 °C, comparison: ">"}}}
              clear_for: 1min
          - id: silent
            title: Silent
            severity: warning
            applies_to: {node: any}
            when: {silent_for: 25min}
        """,
        "rules.yaml",
    )
)


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Burns down step by step and kills at its end; ``after`` says after how many steps, life by life."""

    def __init__(self, after: Sequence[int] = ()) -> None:
        self.light(*after)

    def light(self, *after: int) -> None:
        """Burn from now on; put out where nothing is given."""
        self._after = iter(after)
        self._left = next(self._after, None)

    def burn(self) -> None:
        """Burn one step."""
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._left = next(self._after, None)
                raise Killed

    def guard(self, part: Any, *names: str) -> Any:
        """Return the part with a step before and after each call of these methods."""
        return _Guarded(part, self, names)


class _Guarded:
    def __init__(self, part: Any, fuse: Fuse, names: Sequence[str]) -> None:
        self._part, self._fuse, self._names = part, fuse, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        return self._stepwise(found) if name in self._names else found

    def _stepwise(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            self._fuse.burn()
            answer = await method(*args, **kwargs)
            self._fuse.burn()
            return answer

        return guarded


@dataclass
class Recorder:
    """A notifier that remembers."""

    sent: list[OutgoingMessage] = field(default_factory=list)

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Remember the message."""
        self.sent.append(message)
        return Delivery.delivered()


@dataclass
class Bench:
    """Journal, database and clock that outlive the judge, and the judge of this life."""

    journal: Journal
    database: Any
    clock: HandClock
    fuse: Fuse
    settings: JudgeSettings
    node_events: NodeEvents | None = None
    """The inbox of what nodes tell; None where nobody listens."""
    steady: SteadyClock | None = None
    """The clock of the parts, where somebody sets the machine's; None: the hand's own."""
    rules: Sequence[Rule] = field(default_factory=lambda: RULES)
    directory: Directory = DIRECTORY
    recorder: Recorder = field(default_factory=Recorder)
    lives: int = 0
    results: list[tuple[object, ...]] = field(default_factory=list)
    alerts: AlertStore = field(init=False)
    judge: Judge = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def build(self) -> None:
        """Make the parts of a new life, which know nothing."""
        routes = [Route("console", Audience.PERSON, lambda contact: contact.phone)]
        world = World(lambda: self.directory, lambda: rule_texts(self.rules))
        self.alerts = AlertStore(self.database, routes=routes, world=world, telling=AT_ONCE)
        self.dispatcher = Dispatcher(
            self.alerts, {"console": self.recorder}, self.steady or self.clock, DispatchSettings(), random=lambda: 0.5
        )
        self.judge = Judge(
            journal=self.fuse.guard(self.journal, "read_after", "series", "move_cursor"),
            new_engine=lambda: Engine(self.rules, self.directory),
            alerts=self.fuse.guard(self.alerts, "record", "episodes"),
            state=self.fuse.guard(JudgeState(self.database), "load", "save"),
            database=self.database,
            clock=self.steady or self.clock,
            directory=lambda: self.directory,
            timekeeper=None if self.steady is None else Timekeeper(self.database, self.steady, "this-boot"),
            hearing=self._hearing(),
            settings=self.settings,
        )

    def _hearing(self) -> Hearing | None:
        if self.node_events is None:
            return None
        return Hearing(
            self.fuse.guard(self.node_events, "first", "save"),
            journal=self.journal,
            alerts=self.alerts,
            rules=lambda: self.rules,
            directory=lambda: self.directory,
            settings=EngineSettings(),
        )

    async def live(self) -> None:
        """Begin a life, and another one whenever it is killed while it takes up what was saved."""
        while True:
            self.build()
            self.lives += 1
            try:
                return await self.judge.resume()
            except Killed:
                continue

    async def judge_all(self) -> None:
        """Judge to the end of the log, life after life, then send what is due."""
        while True:
            try:
                if not await self.judge.turn():
                    break
            except Killed:
                await self.live()
        await self.dispatcher.dispatch_due()

    async def figures(self) -> list[tuple[object, ...]]:
        """Return what is known of every episode, in minutes from the start."""
        episodes = await self.alerts.episodes(limit=10_000)
        return sorted(
            (
                (
                    each.rule,
                    each.subject,
                    *map(minute, (each.started_at, each.confirmed_at, each.ended_at)),
                    each.extreme,
                )
                for each in episodes
            ),
            key=repr,
        )

    def told(self) -> dict[int, list[NotificationKind]]:
        """Return what was sent about each alert, in order."""
        told: dict[int, list[NotificationKind]] = {}
        for message in self.recorder.sent:
            told.setdefault(message.reference, []).append(message.kind)
        return told


def minute(moment: Any) -> float | None:
    """Return a datetime in minutes after the start."""
    return None if moment is None else (to_ms(moment) - START_MS) / MINUTE_MS


@asynccontextmanager
async def bench(
    folder: Path, *, fuse: Fuse | None = None, settings: JudgeSettings | None = None
) -> AsyncIterator[Bench]:
    """Open journal and database in a folder, with a judge in its first life."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(f"sqlite+aiosqlite:///{folder}/vitals.db"))
        journal = await stack.enter_async_context(Journal.open(folder))
        await AlertStore(database).create_tables()
        await JudgeState(database).create_tables()
        made = Bench(journal, database, HandClock(START_MS), fuse or Fuse(), settings or JudgeSettings())
        await made.live()
        yield made


async def play(made: Bench, stream: Sequence[Reading]) -> None:
    """Commit the readings at their moments of arrival, judge after each, and let minutes pass in between."""
    for at_ms, group in _by_arrival(stream):
        while made.clock.now_ms() + MINUTE_MS < at_ms:
            made.clock.move_to(made.clock.now_ms() + MINUTE_MS)
            await made.judge_all()
        made.clock.move_to(at_ms)
        await made.journal.commit(group)
        await made.judge_all()


def _by_arrival(stream: Sequence[Reading]) -> Iterator[tuple[int, list[Reading]]]:
    for at_ms in sorted({reading.received_at_ms for reading in stream}):
        yield at_ms, [reading for reading in stream if reading.received_at_ms == at_ms]


def reading(at_minute: float, value: float, *, channel: str = CHANNELS[0], delay_min: float = 0) -> Reading:
    """Return a reading measured so many minutes after the start."""
    measured_ms = START_MS + round(at_minute * MINUTE_MS)
    return Reading(channel, measured_ms, value, Quality.GOOD, measured_ms + round(delay_min * MINUTE_MS))
