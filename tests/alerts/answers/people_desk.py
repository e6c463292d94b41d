"""A desk on the real store's tables, with actions that write them, and texts that people send to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, String, Table, Text, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.actions import Acted, Actor, Closing, ToldBundle
from alerts.answers.desk import AnswerDesk, Known
from alerts.answers.inbox import Inbox, Kept
from alerts.answers.settings import AnswersSettings
from alerts.change import AlertChange, UnknownAlertError
from alerts.facts import Power
from alerts.lifecycle import AlertEvent
from alerts.notifiers.notifier import IncomingText
from alerts.routing import Audience, Decision, Reason, Route
from alerts.rows import alert_of, select_alerts
from alerts.tables import ALERTS, AUDIT, METADATA, NOTIFICATIONS, Moment
from domain.alert import Alert, AlertState
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

REPLIES = Table(
    "test_replies",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String, unique=True, nullable=False),
    Column("channel", String, nullable=False),
    Column("address", String, nullable=False),
    Column("contact", String, nullable=False),
    Column("text", Text, nullable=False),
)
CLOSINGS = Table(
    "test_closings",
    METADATA,
    Column("alert", Integer, primary_key=True),
    Column("note", Text, nullable=False),
    Column("doses", Integer),
    Column("at", Moment, nullable=False),
)


@dataclass
class SqlActions:
    """Acts on the store's own tables; ``next_people`` are those whom a call for help still reaches."""

    next_people: list[str] = field(default_factory=lambda: ["joseph"])

    async def acknowledge(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Note the name, unless there is one."""
        alert = await self._known(connection, alert_id)
        if alert.acknowledged_at is not None or alert.state is AlertState.NORMAL:
            return Acted(alert, False, ())
        state = AlertState.NORMAL if alert.ended_at else AlertState.ACKNOWLEDGED
        values = {"state": state.value, "acknowledged_at": now, "acknowledged_by": by.name}
        await connection.execute(update(ALERTS).where(ALERTS.c.id == alert_id).values(**values))
        return await self._changed(connection, alert, "acknowledged", by, now, note)

    async def ask_for_help(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Tell the next one."""
        alert = await self._known(connection, alert_id)
        if not self.next_people:
            return Acted(alert, False, ())
        told = Decision(Reason.TOLD_NEW, "alarm", self.next_people.pop(0), "sms", "+256700000002")  # type: ignore[arg-type]
        acted = await self._changed(connection, alert, "help", by, now, note)
        return acted._replace(changes=(replace(acted.changes[0], decisions=(told,)),))

    async def close(
        self, connection: AsyncConnection, alert_id: int, closing: Closing, *, by: Actor, now: datetime
    ) -> Acted:
        """Keep what was done; acknowledge where it goes on."""
        alert = await self._known(connection, alert_id)
        if alert.ended_at is None:
            acted = await self.acknowledge(connection, alert_id, by=by, now=now, note=closing.note)
            return acted._replace(took_effect=False)
        if await connection.scalar(select(CLOSINGS.c.alert).where(CLOSINGS.c.alert == alert_id)):
            return Acted(alert, False, ())
        await connection.execute(
            insert(CLOSINGS).values(alert=alert_id, note=closing.note, doses=closing.doses_affected, at=now)
        )
        await connection.execute(update(ALERTS).where(ALERTS.c.id == alert_id).values(state="normal"))
        return await self._changed(connection, alert, "closed", by, now, closing.note)

    async def told_to(self, connection: AsyncConnection, contact: str, *, limit: int = 20) -> list[ToldBundle]:
        """Return every alarm that was queued for the contact, newest first."""
        query = (
            select(NOTIFICATIONS.c.alert, NOTIFICATIONS.c.queued_at)
            .where(NOTIFICATIONS.c.contact == contact, NOTIFICATIONS.c.kind == "alarm")
            .where(NOTIFICATIONS.c.channel != "email")
            .order_by(NOTIFICATIONS.c.id.desc())
            .limit(limit)
        )
        rows = (await connection.execute(query)).all()
        return [ToldBundle(row.queued_at, "sms", (await self._known(connection, row.alert),)) for row in rows]

    async def alert(self, connection: AsyncConnection, alert_id: int) -> Alert | None:
        """Return the alert."""
        row = (await connection.execute(select_alerts().where(ALERTS.c.id == alert_id))).one_or_none()
        return None if row is None else alert_of(row)

    async def reply(
        self,
        connection: AsyncConnection,
        *,
        channel: str,
        address: str,
        contact: str,
        text: str,
        now: datetime,
        key: str,
    ) -> None:
        """Keep the reply."""
        values = {"key": key, "channel": channel, "address": address, "contact": contact, "text": text}
        await connection.execute(insert(REPLIES).values(**values))

    async def _known(self, connection: AsyncConnection, alert_id: int) -> Alert:
        alert = await self.alert(connection, alert_id)
        if alert is None:
            raise UnknownAlertError(alert_id)
        return alert

    async def _changed(
        self, connection: AsyncConnection, before: Alert, what: str, by: Actor, now: datetime, note: str
    ) -> Acted:
        entry = {"alert": before.id, "at": now, "who": by.name, "origin": by.origin, "what": what, "detail": note}
        await connection.execute(insert(AUDIT).values(**entry))
        alert = await self._known(connection, before.id)
        return Acted(alert, True, (AlertChange(alert, before.state, (AlertEvent.ACKNOWLEDGED,)),))


@dataclass
class Office:
    """The desk, what surrounds it, and a clock that stands still."""

    judge: Judge
    database: AsyncEngine
    actions: SqlActions
    settings: AnswersSettings
    now: datetime = NOON + timedelta(minutes=40)
    power: Power | None = None
    published: list[AlertChange] = field(default_factory=list)

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
            return list(await connection.scalars(select(REPLIES.c.text).order_by(REPLIES.c.id)))

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
    return Office(judge, database, SqlActions(), chosen)
