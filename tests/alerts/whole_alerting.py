"""All of alerting over one SQLite file, as a process has it, with a clock that a test moves and channels that fail."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alerts.actions import Acted
from alerts.answers.desk import AnswerDesk, Known
from alerts.answers.settings import AnswersSettings
from alerts.dispatch import Dispatcher
from alerts.notification import NotificationState
from alerts.notifiers.notifier import Delivery, IncomingText, OutgoingMessage
from alerts.routing import Audience, Route
from alerts.settings import DispatchSettings, TellingSettings
from alerts.store import AlertStore, World
from alerts.tables import METADATA
from domain.directory import Directory
from domain.episode import EpisodeChange
from domain.people import Contact, EscalationChain, EscalationStep, QuietHours
from tests.alerts.given import AMINA, DIRECTORY, JOSEPH, MINUTE, NOON, RULES, StandingClock

NIGHT: Final = QuietHours(time(22), time(6), "Africa/Kampala")
GRACE: Final = Contact(
    id="grace", name="Grace", phone="+256700000003", email="grace@example.org", region="Western", quiet=NIGHT
)
ONE_BY_ONE: Final = EscalationChain(
    "one-by-one",
    (
        EscalationStep(timedelta(0), ("contact:amina", "contact:joseph")),
        EscalationStep(15 * MINUTE, ("contact:grace",)),
    ),
    repeat_every=30 * MINUTE,
    repeat_times=2,
)
PEOPLE: Final = Directory(
    facilities=DIRECTORY.facilities.values(),
    equipment=DIRECTORY.equipment.values(),
    nodes=DIRECTORY.nodes.values(),
    channels=DIRECTORY.channels.values(),
    contacts=(replace(AMINA, channels=("sms", "email")), replace(JOSEPH, quiet=NIGHT), GRACE),
    chains=(ONE_BY_ONE,),
)
ROUTES: Final = (
    Route("sms", Audience.PERSON, lambda contact: contact.phone, "sms", answerable=True),
    Route("email", Audience.PERSON, lambda contact: contact.email, "email"),
    Route("webhook", Audience.SYSTEM, lambda _: ""),
)
CHANNELS: Final = tuple(route.channel for route in ROUTES)
SENDING: Final = DispatchSettings(retry_first_seconds=60.0, give_up_after_seconds=1200.0)
TELLING: Final = TellingSettings(messages_per_hour=4)
_OFTEN: Final = 2000
"""Rounds after which something that should have come to rest has not."""


@dataclass
class Line:
    """A notifier that works, is busy, refuses, or takes messages and reports later; it remembers what it took."""

    channel: str
    how: str = "works"
    taken: list[OutgoingMessage] = field(default_factory=list)
    reported: Iterator[int] = field(default_factory=itertools.count)

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Take the message or not, as the line is now."""
        if self.how == "busy":
            return Delivery.failed("busy", recoverable=True)
        if self.how == "refuses":
            return Delivery.failed("refused", recoverable=False)
        self.taken.append(message)
        if self.how == "reports":
            return Delivery(NotificationState.SUBMITTED, reference=f"{self.channel}-{next(self.reported)}")
        return Delivery.delivered()


class Complaints(logging.Handler):
    """Keeps what was logged as an error: loops outlive their defects, a test should not."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)


class Service:
    """What runs in one process: store, agenda, dispatcher, desk. ``restart`` makes another one over the same file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.clock = StandingClock(NOON)
        self.lines = {channel: Line(channel) for channel in CHANNELS}
        self.complaints = Complaints()
        logging.getLogger("alerts").addHandler(self.complaints)
        self._texts = itertools.count()
        self._start()

    def _start(self) -> None:
        self.database: AsyncEngine = create_async_engine(f"sqlite+aiosqlite:///{self._path}")
        event.listen(self.database.sync_engine, "connect", _without_waiting_for_the_disk)
        give_up_after = timedelta(seconds=SENDING.give_up_after_seconds)
        world = World(lambda: PEOPLE, lambda: RULES)
        self.store = AlertStore(self.database, routes=ROUTES, give_up_after=give_up_after, world=world, telling=TELLING)
        self.dispatcher = Dispatcher(self.store, self.lines, self.clock, SENDING, random=lambda: 0.5)
        known = Known(lambda: PEOPLE, lambda: RULES, lambda: self.now, lambda _: None)
        self.desk = AnswerDesk(
            self.database,
            self.store.actions,
            known,
            routes=ROUTES,
            settings=AnswersSettings(country_prefix="+256"),
            publish=self.store.publish,
        )

    @property
    def now(self) -> datetime:
        """Return the moment that the clock shows."""
        return self.clock.moment

    async def stop(self) -> None:
        """Leave neither thread nor handler behind."""
        logging.getLogger("alerts").removeHandler(self.complaints)
        await self.database.dispose()

    async def restart(self) -> None:
        """Stop without a word and begin anew with what the file holds."""
        await self.database.dispose()
        self._start()
        await self.store.create_tables()

    async def record(self, *changes: EpisodeChange) -> None:
        """Do what the judge does with what the rules found."""
        async with self.database.begin() as connection:
            happened = await self.store.record(connection, changes, now=self.now)
        self.store.publish(happened)

    async def act(self, action: Callable[[AsyncConnection], Awaitable[Acted]]) -> None:
        """Let somebody do something over the API."""
        await self.store.act(action)

    async def hear(self, sender: str, text: str) -> None:
        """Let somebody write."""
        await self.desk.hear(IncomingText("sms", sender, text, f"text-{next(self._texts)}"))

    async def settle(self) -> None:
        """Do all that is due at this moment, as the loops of agenda and dispatcher would."""
        for _ in range(_OFTEN):
            await self.store.agenda.do(self.now)
            if not await self.dispatcher.dispatch_due() and not await self._is_due():
                return
        raise AssertionError(f"neither agenda nor outbox come to rest at {self.now}")

    async def pass_time(self, duration: timedelta) -> None:
        """Let the clock go on, stopping wherever something is due."""
        until = self.now + duration
        for _ in range(_OFTEN):
            due = await self.next_due()
            if due is None or due > until:
                self.clock.move(until - self.now)
                return await self.settle()
            self.clock.move(max(due - self.now, timedelta(0)))
            await self.settle()
        raise AssertionError(f"something is due again and again until {until}")

    async def next_due(self) -> datetime | None:
        """Return when anything is due next."""
        moments = [await self.store.agenda.next_due(self.now)]
        moments += [await self.store.outbox.next_due(channel) for channel in CHANNELS]
        return min((moment for moment in moments if moment is not None), default=None)

    async def rows(self, table: str) -> list[Any]:
        """Return all rows of a table."""
        chosen = METADATA.tables[table]
        async with self.database.connect() as connection:
            return list(await connection.execute(select(chosen).order_by(*chosen.primary_key)))

    async def everything(self) -> dict[str, list[Any]]:
        """Return all that the file holds."""
        return {name: await self.rows(name) for name in METADATA.tables}

    async def _is_due(self) -> bool:
        due = await self.next_due()
        return due is not None and due <= self.now


def _without_waiting_for_the_disk(connection: Any, _: Any) -> None:
    """Spare the syncs: no test here cuts the power."""
    connection.execute("PRAGMA synchronous = OFF").close()
