"""From decisions to messages: what is due is worded and queued, as few messages as can say it, in one transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.bundle import Bundle, Occasion
from alerts.escalation import begin
from alerts.facts import Facts, facts_document, facts_of
from alerts.notification import UNREACHED, NotificationKind, NotificationState
from alerts.plan import Item, Planned, Sent, plan
from alerts.routing import Audience, Decision, Question, Reach, Reason, Verdict, decide, lanes_of
from alerts.rows import alert_of, chunks, episode_of, select_alerts
from alerts.surroundings import Note, Surroundings
from alerts.tables import ALERTS, NOTIFICATIONS, TELLINGS
from alerts.telling import Telling, describe, lanes_that_carried
from alerts.words.compose import Message, compose
from domain.alert import Alert
from domain.episode import Episode
from domain.people import Contact

_CALLS: Final = ("alarm", "worse", "past")
_CLEAR: Final = "all_clear"
_NEWS: Final = (Occasion.NEW, Occasion.AGAIN)
"""A step of the chain is no reason to begin it anew."""


_SETTLE: Final = (
    update(TELLINGS)
    .where(TELLINGS.c.id == bindparam("number"))
    .values(due_at=bindparam("until"), hold=bindparam("held"), bundle=bindparam("went"))
)


@dataclass(slots=True)
class _Due:
    """A telling whose turn has come, with its alert as it is now."""

    row: Row[Any]
    alert: Alert
    episode: Episode
    incident: int
    retracted: bool
    verdict: Verdict | None = None

    @property
    def kind(self) -> NotificationKind:
        return NotificationKind(self.row.kind)


async def next_telling_at(connection: AsyncConnection) -> datetime | None:
    """Return when the next telling that waits is due; None where none does."""
    query = select(TELLINGS.c.due_at).where(TELLINGS.c.due_at.is_not(None)).order_by(TELLINGS.c.due_at).limit(1)
    found: datetime | None = await connection.scalar(query)
    return found


class Post:
    """Writes messages within the caller's transaction."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._telling = Telling(around)
        self._composed: dict[tuple[Bundle, str, bool, str], Message] = {}

    async def flush(self) -> None:
        """Queue a message for everything that is due, or say in the audit log why not or not yet."""
        waiting = await self._waiting()
        people: defaultdict[str, list[_Due]] = defaultdict(list)
        for due in waiting:
            people[due.row.contact].append(due)
        for contact, dues in people.items():
            if contact:
                await self._to_person(contact, dues)
            else:
                for due in dues:
                    await self._to_system(due)

    async def _waiting(self) -> list[_Due]:
        """Return what is due, and what waited to be told with something that is, oldest first."""
        table, connection = TELLINGS.c, self._around.connection
        is_due = table.due_at.is_not(None) & (table.due_at <= self._around.now)
        if await connection.scalar(select(table.id).where(is_due).limit(1)) is None:
            return []
        # Writing first takes the lock: the judge, the agenda and a person's deed may all find the same one due.
        await connection.execute(update(TELLINGS).where(is_due).values(due_at=literal_column("due_at")))
        contacts = list(await connection.scalars(select(table.contact).where(is_due).distinct()))
        if not contacts:
            return []
        joins = (table.hold == Reason.HELD_TOGETHER.value) & table.contact.in_(contacts) & (table.contact != "")
        query = select(TELLINGS).where(table.due_at.is_not(None), is_due | joins).order_by(table.id)
        rows = (await connection.execute(query)).all()
        alerts = await self._alerts(dict.fromkeys(row.alert for row in rows))
        return [
            _Due(row, alert_of(found), episode_of(found), found.alert_incident or row.alert, bool(found.retracted_at))
            for row, found in ((row, alerts[row.alert]) for row in rows)
        ]

    async def _alerts(self, ids: Iterable[int]) -> dict[int, Row[Any]]:
        found: dict[int, Row[Any]] = {}
        for chunk in chunks(ids):
            query = select_alerts().where(ALERTS.c.id.in_(chunk))
            found |= {row.alert_id: row for row in await self._around.connection.execute(query)}
        return found

    async def _to_person(self, name: str, dues: Sequence[_Due]) -> None:
        contact = self._around.directory.contacts.get(name) or Contact(name, name)
        words = await self._telling.last_words([due.alert.id for due in dues])
        for due in dues:
            due.verdict = self._verdict(due, contact, words.get(due.alert.id, {}).get((contact.id, "")))
        told = {due.row.id: due for due in _one_each([due for due in dues if due.verdict and due.verdict.reason.told])}
        planned = plan(
            [self._item(due) for due in told.values()],
            sent=await self._sent_lately(name),
            now=self._around.now,
            settings=self._around.settings,
        )
        for item, until in planned.held:
            told[item.telling].verdict = Verdict(Reason.HELD_QUOTA, until)
        for message in planned.messages:
            await self._send(contact, message, told)
        await self._settle(dues, planned.messages)

    def _verdict(self, due: _Due, contact: Contact, last: NotificationKind | None) -> Verdict:
        """Ask again, for things have changed since it was decided that this person is to be told."""
        if due.retracted and due.kind is not NotificationKind.ALL_CLEAR:
            return Verdict(Reason.SILENT_OVER)
        return decide(
            Question(
                kind=due.kind,
                occasion=Occasion(due.row.occasion),
                severity=due.alert.severity,
                now=self._around.now,
                state=due.alert.state,
                live=True,
                last=last,
                has_address=True,
                quiet=contact.quiet,
                was_pending=True,
            )
        )

    def _item(self, due: _Due) -> Item:
        facility = self._around.directory.facilities.get(due.alert.facility)
        district = "/".join((facility.country, facility.region, facility.district)) if facility else due.alert.facility
        return Item(
            telling=due.row.id,
            alert=due.alert.id,
            incident=due.incident,
            kind=due.kind,
            occasion=Occasion(due.row.occasion),
            severity=due.alert.severity,
            rule=due.alert.rule,
            facility=due.alert.facility,
            district=district,
            first_out=due.alert.started_at,
            by=tuple(filter(None, due.row.by.split(","))),
        )

    async def _sent_lately(self, contact: str) -> Sent:
        table = NOTIFICATIONS.c
        query = (
            select(table.bundle, table.queued_at, table.kind)
            .where(table.contact == contact, table.queued_at > self._around.now - timedelta(hours=1))
            .where(table.kind.in_((*_CALLS, _CLEAR)), table.bundle.is_not(None))
            .order_by(table.queued_at)
        )
        sent = {row.bundle: row for row in await self._around.connection.execute(query)}.values()
        calls = [row.queued_at for row in sent if row.kind in _CALLS]
        return Sent(calls, [row.queued_at for row in sent if row.kind == _CLEAR])

    async def _send(self, contact: Contact, planned: Planned, dues: Mapping[int, _Due]) -> None:
        lead = dues[planned.items[0].telling]
        kind = lead.kind
        lanes = lanes_of(contact, planned.items[0].by, self._around.routes)
        if kind is NotificationKind.ALL_CLEAR:
            lanes = lanes_that_carried(await self._carried(contact.id, planned.items), self._around.routes)
        if not lanes:
            for item in planned.items:
                reason = Reason.SILENT_NO_CHANNEL if kind is NotificationKind.ALL_CLEAR else Reason.SILENT_NO_ADDRESS
                dues[item.telling].verdict = Verdict(reason)
            return
        bundle = await self._bundle(planned, dues, contact.language)
        number = min(item.telling for item in planned.items)
        rows = [
            self._queued(lead, bundle, number, contact.id, lane[0], contact.language)
            | {"fallbacks": json.dumps(lane[1:])}
            for lane in lanes
        ]
        await self._around.connection.execute(insert(NOTIFICATIONS), rows)
        if kind in (NotificationKind.ALARM, NotificationKind.WORSE) and Occasion(lead.row.occasion) in _NEWS:
            await begin(self._around, {item.incident: dues[item.telling].alert for item in reversed(planned.items)})

    async def _carried(self, contact: str, items: Sequence[Item]) -> list[Reach]:
        """Return the channels that carried the alarms to the person, with the addresses of then."""
        table = NOTIFICATIONS.c
        bundles = select(TELLINGS.c.bundle).where(
            TELLINGS.c.alert.in_([item.alert for item in items]), TELLINGS.c.contact == contact
        )
        query = select(table.channel, table.address).where(
            table.bundle.in_(bundles), table.contact == contact, table.state.not_in([each.value for each in UNREACHED])
        )
        return [Reach(*row) for row in await self._around.connection.execute(query.order_by(table.id))]

    async def _bundle(self, planned: Planned, dues: Mapping[int, _Due], language: str) -> Bundle:
        lead = dues[planned.items[0].telling]
        occasion, times = Occasion(lead.row.occasion), 1
        if occasion is Occasion.NEW and lead.kind is NotificationKind.ALARM:
            times += (await self._telling.came_lately([lead.alert]))[lead.alert.id]
            if times > 1 or (lead.verdict and lead.verdict.reason is Reason.TOLD_AGAIN):
                occasion = Occasion.AGAIN
        items = tuple(self._facts(dues[item.telling], language) for item in planned.items)
        return Bundle(planned.shape, items, occasion, lead.row.who, times)

    def _facts(self, due: _Due, language: str) -> Facts:
        return facts_of(
            due.kind,
            due.episode,
            reference=due.alert.id,
            directory=self._around.directory,
            text=self._around.text_of(due.alert.rule).spoken(language),
            now=self._around.now,
            retracted=due.retracted,
            power=self._around.power_of(due.alert.facility),
        )

    def _queued(
        self, lead: _Due, bundle: Bundle, number: int, contact: str, reach: Reach, language: str
    ) -> dict[str, Any]:
        route = next((route for route in self._around.routes if route.channel == reach.channel), None)
        answerable = route is not None and route.answerable
        link = self._around.link(bundle.items[0].reference, contact, self._around.now) if contact else ""
        message = self._words(bundle, language, answerable=answerable, link=link)
        return {
            "key": f"{lead.alert.id}-{lead.row.transition}-{contact or 'system'}-{reach.channel}",
            "bundle": number,
            "alert": lead.alert.id,
            "kind": lead.kind.value,
            "contact": contact,
            "channel": reach.channel,
            "fallbacks": "[]",
            "address": reach.address,
            "reason": lead.verdict.reason.value if lead.verdict else "",
            "subject": message.subject,
            "short_text": message.short_text,
            "long_text": message.long_text,
            "facts": json.dumps(self._document(bundle), ensure_ascii=False),
            "state": NotificationState.QUEUED.value,
            "attempts": 0,
            "queued_at": self._around.now,
            "next_attempt_at": self._around.now,
            "deadline": self._around.deadline,
            "delivery_reference": "",
            "last_error": "",
        }

    def _words(self, bundle: Bundle, language: str, *, answerable: bool, link: str) -> Message:
        known = self._composed.get((bundle, language, answerable, link))
        if known is None:
            known = self._composed[bundle, language, answerable, link] = compose(
                bundle, language=language, answerable=answerable, link=link
            )
        return known

    def _document(self, bundle: Bundle) -> dict[str, Any]:
        lead, *others = bundle.items
        return facts_document(lead) | ({"also": [facts_document(each) for each in others]} if others else {})

    async def _to_system(self, due: _Due) -> None:
        route = next(
            (each for each in self._around.routes if each.channel == due.row.by and each.audience is Audience.SYSTEM),
            None,
        )
        due.verdict = Verdict(Reason(due.row.hold) if due.row.hold else self._system_reason(due))
        if route is None:
            due.verdict = Verdict(Reason.SILENT_NO_CHANNEL)
            return await self._settle([due], ())
        item = self._item(due)
        planned = plan([item], sent=Sent(), now=self._around.now, settings=self._around.settings).messages
        bundle = await self._bundle(planned[0], {due.row.id: due}, "en")
        row = self._queued(due, bundle, due.row.id, "", Reach(due.row.by, ""), "en")
        await self._around.connection.execute(insert(NOTIFICATIONS), [row])
        return await self._settle([due], planned)

    def _system_reason(self, due: _Due) -> Reason:
        by_kind = {NotificationKind.WORSE: Reason.TOLD_WORSE, NotificationKind.ALL_CLEAR: Reason.TOLD_CLEAR}
        return by_kind.get(due.kind, Reason.TOLD_NEW)

    async def _settle(self, dues: Sequence[_Due], messages: Sequence[Planned]) -> None:
        """Note in which bundle each telling went out, until when it waits, or that it was dropped."""
        bundle_of = {
            (item.alert, item.says_clear): min(each.telling for each in message.items)
            for message in messages
            for item in message.items
        }
        rows: list[dict[str, Any]] = []
        notes: list[Note] = []
        for due in dues:
            reason, until = due.verdict or Verdict(Reason.SILENT_TOLD_OTHERWISE)
            goes_out = reason.told or reason is Reason.SILENT_TOLD_OTHERWISE
            bundle = bundle_of.get((due.alert.id, due.kind is NotificationKind.ALL_CLEAR)) if goes_out else None
            hold = reason.value if reason.held else due.row.hold
            rows.append({"number": due.row.id, "until": until, "held": hold, "went": bundle})
            if reason.held or not reason.told or due.row.due_at > due.row.wanted_at:
                channel = due.row.by if not due.row.contact else ""
                decision = Decision(reason, due.kind, due.row.contact, channel, until)
                notes.append(Note(due.alert.id, reason.value, describe(decision)))
        await self._around.connection.execute(_SETTLE, rows)
        await self._around.note_all(notes, origin="post")


def _one_each(dues: Sequence[_Due]) -> list[_Due]:
    """Return one telling for each alert: where both an alarm and a worse wait, the alarm says it all."""
    first: dict[tuple[int, bool], _Due] = {}
    for due in dues:
        known = first.setdefault((due.alert.id, due.kind is NotificationKind.ALL_CLEAR), due)
        if known is not due:
            due.verdict = Verdict(Reason.SILENT_TOLD_OTHERWISE)
    return list(first.values())
