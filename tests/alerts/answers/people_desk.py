"""A desk on the real store, and texts that people send to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.actions import Actions
from alerts.answers.desk import AnswerDesk, Known
from alerts.answers.inbox import Inbox, Kept
from alerts.answers.settings import AnswersSettings
from alerts.change import AlertChange
from alerts.facts import Power
from alerts.notifiers.notifier import IncomingText
from alerts.routing import Audience, Route
from alerts.tables import NOTIFICATIONS
from domain.alert import Alert
from domain.directory import Directory
from domain.people import Contact
from tests.alerts.given import DIRECTORY, NOON, ROUTES, RULES, Judge, a_judge

FATUMA = Contact(id="fatuma", name="Fatuma", phone="0700 000 009", language="sw", facilities=("kasese-3",))
TELEGRAPHER = Contact(id="tele", name="Tele", addresses={"telegram": "4711"}, facilities=("kasese-3",))
PEOPLE = Directory(
    facilities=DIRECTORY.facilities.values(),
    equipment=DIRECTORY.equipment.values(),
    nodes=DIRECTORY.nodes.values(),
    channels=DIRECTORY.channels.values(),
    contacts=(*DIRECTORY.contacts.values(), FATUMA, TELEGRAPHER),
)
SMS = Route("sms", Audience.PERSON, lambda contact: contact.phone, "sms", answerable=True)
TELEGRAM = Route(
    "telegram", Audience.PERSON, lambda contact: contact.addresses.get("telegram", ""), "telegram", answerable=True
)
VOICE = Route("voice", Audience.PERSON, lambda contact: contact.phone, "voice", answerable=True, on_request=True)
AMINAS, FATUMAS = "+256700000001", "+256700000009"


@dataclass
class Office:
    """The desk, what surrounds it, and a clock that stands still."""

    judge: Judge
    database: AsyncEngine
    settings: AnswersSettings
    now: datetime = NOON + timedelta(minutes=40)
    power: Power | None = None
    published: list[AlertChange] = field(default_factory=list)
    actions: Actions = field(init=False)

    def __post_init__(self) -> None:
        self.actions = self.judge.store.actions

    def desk(self) -> AnswerDesk:
        """Return a desk as a process that starts would make it."""
        known = Known(lambda: PEOPLE, lambda: RULES, lambda: self.now, lambda facility: self.power)
        return AnswerDesk(
            self.database,
            self.actions,
            known,
            routes=(SMS, TELEGRAM, VOICE),
            settings=self.settings,
            publish=self.published.extend,
        )

    async def hear(self, text: str, *, sender: str = AMINAS, reference: str = "", channel: str = "sms") -> str:
        """Hand a text to the desk and return what it replied; empty where nothing."""
        before = await self.replies()
        await self.desk().hear(IncomingText(channel, sender, text, reference))
        return "".join((await self.replies())[len(before) :])

    async def replies(self) -> list[str]:
        """Return everything that was replied, oldest first."""
        async with self.database.connect() as connection:
            query = select(NOTIFICATIONS.c.short_text).where(NOTIFICATIONS.c.kind == "reply")
            return list(await connection.scalars(query.order_by(NOTIFICATIONS.c.id)))

    async def inbox(self) -> Sequence[Kept]:
        """Return what is kept, newest first."""
        async with self.database.connect() as connection:
            return await Inbox(connection).newest()

    async def alert(self, alert_id: int) -> Alert:
        """Return an alert that there is."""
        alert = await self.judge.store.alert(alert_id)
        assert alert is not None
        return alert


async def an_office(database: AsyncEngine, **settings: object) -> Office:
    """Return an office in Uganda on fresh tables."""
    judge = await a_judge(database, (ROUTES[0], SMS, TELEGRAM))
    judge.directory = PEOPLE
    chosen = AnswersSettings.model_validate({"country_prefix": "+256"} | settings)
    return Office(judge, database, chosen)
