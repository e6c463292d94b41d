"""A small district, episodes in it, a clock that stands still, and notifiers that remember."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from alerts.change import AlertChange
from alerts.facts import Power, RuleText
from alerts.notifiers.notifier import Delivery, OutgoingMessage
from alerts.routing import Audience, Route
from alerts.settings import AT_ONCE, ClosingSettings, TellingSettings
from alerts.store import AlertStore, World
from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange, Severity, SubjectKind, episode_id
from domain.instant import to_datetime, to_ms
from domain.people import Contact, EscalationChain, EscalationStep
from domain.places import Channel, Equipment, EquipmentKind, Facility, Node
from domain.quantities import QUANTITIES

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

AMINA = Contact(id="amina", name="Amina", email="amina@example.org", phone="+256700000001", facilities=("kasese-3",))
JOSEPH = Contact(id="joseph", name="Joseph", email="joseph@example.org", district="Kasese")
STRANGER = Contact(id="stranger", name="Stranger", email="else@example.org", district="Gulu")

KASESE = Facility("kasese-3", "Kasese HC3", "Uganda", "Western", "Kasese", "Africa/Kampala")
LONELY = Facility("lonely", "Lonely HC2", "Uganda", "Northern", "Nowhere")

TOGETHER = EscalationChain("together", (EscalationStep(timedelta(0), ("facility", "district")),))
"""Tells those of the facility and those of its district at once."""

DIRECTORY = Directory(
    facilities=(KASESE, LONELY),
    equipment=(
        Equipment("fridge-2", "kasese-3", EquipmentKind.FRIDGE, "fridge 2"),
        Equipment("fridge-9", "lonely", EquipmentKind.FRIDGE, "fridge 9"),
    ),
    nodes=(Node("pi-1", "kasese-3", "gateway"),),
    channels=(
        Channel(
            id="kasese-3.fridge-2.temperature",
            facility="kasese-3",
            equipment="fridge-2",
            node="pi-1",
            name="t2",
            quantity=QUANTITIES["temperature"],
            interval=MINUTE,
            limits={"high": 8.0},
        ),
        Channel(
            id="lonely.fridge-9.temperature",
            facility="lonely",
            equipment="fridge-9",
            node="pi-9",
            name="t9",
            quantity=QUANTITIES["temperature"],
            interval=MINUTE,
        ),
    ),
    contacts=(AMINA, JOSEPH, STRANGER),
    chains=(TOGETHER,),
)
RULES = {
    "heat": RuleText(
        "Fridge too warm",
        "above $limits.high",
        "Move vaccines to cold box.",
        worse_by=2.0,
        translations={"fr": RuleText("Frigo trop chaud", "au-dessus de $limits.high")},
    ),
    "silent": RuleText("Node silent", "no data from the node", "Check power and network of the gateway."),
    "this": RuleText("This", suppressed_by=("that",)),
    "that": RuleText("That", suppressed_by=("this",)),
    "mains": RuleText("Mains power lost", "off", "Start the generator."),
    "cut-off": RuleText("Cut off", "no data from the node", "Check the network.", suppressed_by=("mains",)),
}
ROUTES = (
    Route("email", Audience.PERSON, lambda contact: contact.email),
    Route("sms", Audience.PERSON, lambda contact: contact.phone),
)
TOLD_AT_KASESE = {("amina", "email"), ("amina", "sms"), ("joseph", "email")}


def an_episode(number: int = 0, *, facility: str = "kasese-3", extreme: float = 9.4) -> Episode:
    """Return the ``number``-th ongoing excursion of the fridge, an hour apart, confirmed after 30 minutes."""
    subject = {"kasese-3": "kasese-3.fridge-2.temperature", "lonely": "lonely.fridge-9.temperature"}[facility]
    started_at = NOON + timedelta(hours=number)
    return Episode(
        id=episode_id("heat", subject, to_ms(started_at)),
        rule="heat",
        severity=Severity.WARNING,
        subject_kind=SubjectKind.CHANNEL,
        subject=subject,
        facility=facility,
        started_at=started_at,
        confirmed_at=started_at + 30 * MINUTE,
        extreme=extreme,
        extreme_at=started_at + 10 * MINUTE,
    )


def of_rule(rule: str, episode: Episode) -> Episode:
    """Return the episode as one of another rule."""
    subject = f"{episode.subject}.{rule}"
    return replace(episode, rule=rule, subject=subject, id=episode_id(rule, subject, to_ms(episode.started_at)))


def opened(episode: Episode, *, live: bool = True) -> EpisodeChange:
    """Return the change that opens the episode."""
    return EpisodeChange(ChangeKind.OPENED, episode, live)


def worsened(episode: Episode, extreme: float, *, live: bool = True) -> EpisodeChange:
    """Return the change to a new extreme."""
    return EpisodeChange(ChangeKind.WORSENED, replace(episode, extreme=extreme), live)


def ended(episode: Episode, *, live: bool = True, after: timedelta = 45 * MINUTE) -> EpisodeChange:
    """Return the change that ends the episode."""
    return EpisodeChange(ChangeKind.ENDED, replace(episode, ended_at=episode.started_at + after), live)


def amended(episode: Episode, *, live: bool = False) -> EpisodeChange:
    """Return the change by which late data give the episode these figures."""
    return EpisodeChange(ChangeKind.AMENDED, episode, live)


def retracted(episode: Episode, *, live: bool = False) -> EpisodeChange:
    """Return the change that says the episode never was."""
    return EpisodeChange(ChangeKind.RETRACTED, episode, live)


@asynccontextmanager
async def sqlite_database(path: str) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a SQLite file."""
    database = create_async_engine(f"sqlite+aiosqlite:///{path}")
    try:
        yield database
    finally:
        await database.dispose()


@dataclass
class Judge:
    """Does what the part that runs the rules does: records in a transaction, publishes after it."""

    database: AsyncEngine
    routes: Sequence[Route] = ROUTES
    telling: TellingSettings = AT_ONCE
    closing: ClosingSettings = field(default_factory=ClosingSettings)
    now: datetime = NOON + 35 * MINUTE
    power: Power | None = None
    directory: Directory = DIRECTORY
    store: AlertStore = field(init=False)

    def __post_init__(self) -> None:
        world = World(lambda: self.directory, lambda: RULES, lambda _: self.power)
        self.store = AlertStore(
            self.database, routes=self.routes, world=world, telling=self.telling, closing=self.closing
        )

    async def record(self, *changes: EpisodeChange) -> list[AlertChange]:
        """Record the changes of one batch."""
        async with self.database.begin() as connection:
            happened = await self.store.record(connection, changes, now=self.now)
        self.store.publish(happened)
        return happened


async def a_judge(database: AsyncEngine, routes: Sequence[Route] = ROUTES, telling: TellingSettings = AT_ONCE) -> Judge:
    """Return a judge on a store with fresh tables."""
    judge = Judge(database, routes, telling)
    await judge.store.create_tables()
    return judge


@dataclass
class StandingClock:
    """A clock that a test sets; its sleepers wake when it has gone far enough."""

    moment: datetime = NOON + 35 * MINUTE
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def now_ms(self) -> int:
        """Return the moment that was set."""
        return to_ms(self.moment)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved that far."""
        until = self.moment + timedelta(seconds=seconds)
        while self.moment < until:
            await self._moved.wait()

    def move(self, duration: timedelta) -> None:
        """Set the clock forward."""
        self.moment = to_datetime(self.now_ms()) + duration
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


@dataclass
class Memory:
    """A notifier that remembers what it sent and answers as it is told to, then with success."""

    answers: list[Delivery | Exception] = field(default_factory=list)
    sent: list[OutgoingMessage] = field(default_factory=list)
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    gate: asyncio.Event | None = None
    """Nothing gets past it while it is not set."""
    at_once: int = 0
    most_at_once: int = 0

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Remember the message and give the next answer."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        try:
            if self.gate is not None:
                await self.gate.wait()
            self.sent.append(message)
            self.arrived.release()
            answer = self.answers.pop(0) if self.answers else Delivery.delivered()
        finally:
            self.at_once -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer
