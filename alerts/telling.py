"""Whom an alert is to be told to: decisions about everybody concerned, kept until their messages are composed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, insert, literal_column, select, update

from alerts.bundle import Occasion
from alerts.escalation import Escalation
from alerts.notification import UNREACHED, NotificationKind
from alerts.oncall.chain import MannedStep
from alerts.routing import Audience, Decision, Question, Reach, Reason, Route, decide, lanes_of
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS, EPISODES, NOTIFICATIONS, TELLINGS
from domain.alert import Alert
from domain.people import Contact

_UNREACHED = [state.value for state in UNREACHED]


@dataclass(frozen=True, slots=True)
class News:
    """What there is to tell of an alert."""

    kind: NotificationKind
    live: bool
    """Whether somebody can still act on it."""
    occasion: Occasion = Occasion.NEW
    who: str = ""
    """Who wants help, or could not be reached."""


@dataclass(frozen=True, slots=True)
class _Recipient:
    """A person, or a system (then without a contact)."""

    contact: Contact | None
    by: tuple[str, ...]
    reaches: frozenset[Reach]

    @property
    def key(self) -> tuple[str, str]:
        """Return how the table of tellings names the recipient."""
        return ("", self.by[0]) if self.contact is None else (self.contact.id, ",".join(self.by))


class Telling:
    """Decides about one alert within the caller's transaction."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def tell(self, alert: Alert, incident: int, news: News) -> tuple[Decision, ...]:
        """Decide for everybody concerned, keep who is to be told now or later, and return the decisions."""
        if news.kind is NotificationKind.ALL_CLEAR:
            return await self._keep(alert, news, await self._to_be_cleared(alert))
        escalation = Escalation(self._around, alert)
        recipients = self._people(escalation.steps[:1])
        followers = await self._followers(incident, except_of={each.key[0] for each in recipients})
        decisions = await self._keep(alert, news, [*self._systems(), *recipients, *followers])
        if news.live and not any(each.contact and (each.reason.told or each.reason.held) for each in decisions):
            await escalation.begin(incident)
        return decisions

    async def tell_step(self, alert: Alert, step: MannedStep, news: News) -> tuple[Decision, ...]:
        """Decide for the people of a later step of the chain."""
        return await self._keep(alert, news, self._people([step]))

    async def _keep(self, alert: Alert, news: News, recipients: Sequence[_Recipient]) -> tuple[Decision, ...]:
        if not self._around.routes:
            return (Decision(Reason.SILENT_NO_CHANNEL, news.kind),)
        if news.kind is NotificationKind.ALL_CLEAR and not recipients:
            return (Decision(Reason.SILENT_NEVER_TOLD, news.kind),)
        decisions, rows = self._decided(
            alert, news, recipients, await self.last_words(alert.id), await self._wait(alert, news)
        )
        if rows:
            await self._insert(alert, rows)
        elif not news.live and news.kind is not NotificationKind.ALL_CLEAR:
            return (Decision(Reason.SILENT_PAST, news.kind),)
        return tuple(decisions)

    def _decided(
        self,
        alert: Alert,
        news: News,
        recipients: Sequence[_Recipient],
        words: Mapping[tuple[str, str], NotificationKind],
        wait: tuple[datetime | None, Reason],
    ) -> tuple[list[Decision], list[dict[str, Any]]]:
        """Return the decisions, and a row for everybody who is told now or later."""
        used: set[Reach] = set()
        decisions: list[Decision] = []
        rows: list[dict[str, Any]] = []
        for recipient in recipients:
            contact, by = recipient.key
            channel = by if recipient.contact is None else ""
            question = Question(
                kind=news.kind,
                occasion=news.occasion,
                severity=alert.severity,
                now=self._around.now,
                state=alert.state,
                live=news.live,
                last=words.get((contact, channel)),
                has_address=bool(recipient.reaches),
                shares_address=recipient.contact is not None and recipient.reaches <= used,
                waits_until=wait[0] if recipient.contact is not None else None,
                waits_for=wait[1],
                quiet=recipient.contact.quiet if recipient.contact else None,
                past_told_at=self._past_told_at(alert) if recipient.contact else None,
            )
            verdict = decide(question)
            decisions.append(Decision(verdict.reason, news.kind, contact, channel, verdict.until))
            if verdict.reason.told or verdict.reason.held:
                used |= recipient.reaches
                rows.append(self._row(alert, news, contact, by, verdict.reason, verdict.until))
        if self._has_people() and not any(each.contact for each in recipients):
            decisions.append(Decision(Reason.SILENT_NO_CONTACT, news.kind))
        return decisions, rows

    def _row(
        self, alert: Alert, news: News, contact: str, by: str, reason: Reason, until: datetime | None
    ) -> dict[str, Any]:
        return {
            "alert": alert.id,
            "kind": (NotificationKind.PAST if reason is Reason.HELD_PAST else news.kind).value,
            "contact": contact,
            "by": by,
            "occasion": news.occasion.value,
            "who": news.who,
            "wanted_at": self._around.now,
            "due_at": until or self._around.now,
            "hold": reason.value if reason.held else "",
        }

    async def _insert(self, alert: Alert, rows: Sequence[dict[str, Any]]) -> None:
        connection = self._around.connection
        raised = update(ALERTS).where(ALERTS.c.id == alert.id).values(transitions=literal_column("transitions") + 1)
        transition = await connection.scalar(raised.returning(ALERTS.c.transitions))
        await connection.execute(insert(TELLINGS), [row | {"transition": transition} for row in rows])

    def _systems(self) -> list[_Recipient]:
        return [
            _Recipient(None, (route.channel,), frozenset({Reach(route.channel, "")}))
            for route in self._around.routes
            if route.audience is Audience.SYSTEM
        ]

    def _people(self, steps: Iterable[MannedStep]) -> list[_Recipient]:
        if not self._has_people():
            return []
        return [self._recipient(contact, step.by) for step in steps for contact in step.people]

    def _has_people(self) -> bool:
        return any(route.audience is Audience.PERSON for route in self._around.routes)

    def _recipient(self, contact: Contact, by: tuple[str, ...]) -> _Recipient:
        lanes = lanes_of(contact, by, self._around.routes)
        return _Recipient(contact, by, frozenset(lane[0] for lane in lanes))

    async def _followers(self, incident: int, *, except_of: set[str]) -> list[_Recipient]:
        """Return those who were told of other alerts of the incident, or of this one before."""
        told = (
            select(TELLINGS.c.contact)
            .join(ALERTS, ALERTS.c.id == TELLINGS.c.alert)
            .where(ALERTS.c.incident == incident, TELLINGS.c.bundle.is_not(None), TELLINGS.c.contact != "")
        )
        names = dict.fromkeys(await self._around.connection.scalars(told.order_by(TELLINGS.c.id)))
        known = self._around.directory.contacts
        return [self._recipient(known[name], ()) for name in names if name in known and name not in except_of]

    async def _to_be_cleared(self, alert: Alert) -> list[_Recipient]:
        """Return everybody who got, or still may get, a word on the alert."""
        table = TELLINGS.c
        told = select(table.contact, table.by).where(table.alert == alert.id, table.bundle.is_not(None))
        found = dict.fromkeys(
            ("", row.by) if not row.contact else (row.contact, "")
            for row in await self._around.connection.execute(told.order_by(table.id))
        )
        return [
            _Recipient(None, (by,), frozenset({Reach(by, "")}))
            if not contact
            else _Recipient(self._around.directory.contacts.get(contact) or Contact(contact, contact), (), _SOMEWHERE)
            for contact, by in found
        ]

    async def last_words(self, alert: int) -> dict[tuple[str, str], NotificationKind]:
        """Return the last word on an alert that reached each (contact, "") or ("", system), or still may."""
        reached = (
            select(NOTIFICATIONS.c.id)
            .where(NOTIFICATIONS.c.bundle == TELLINGS.c.bundle, NOTIFICATIONS.c.contact == TELLINGS.c.contact)
            .where(NOTIFICATIONS.c.state.not_in(_UNREACHED), _same_system())
        )
        table = TELLINGS.c
        query = select(table.contact, table.by, table.kind).where(
            table.alert == alert, table.bundle.is_not(None), reached.exists()
        )
        rows = await self._around.connection.execute(query.order_by(table.id))
        return {(row.contact, "" if row.contact else row.by): NotificationKind(row.kind) for row in rows}

    async def _wait(self, alert: Alert, news: News) -> tuple[datetime | None, Reason]:
        """Return until when people are not told in any case, and why."""
        settings, now = self._around.settings, self._around.now
        if news.kind is NotificationKind.ALL_CLEAR:
            return now + timedelta(seconds=settings.clear_wait_seconds), Reason.HELD_TOGETHER
        if news.occasion is not Occasion.NEW or not news.live:
            return None, Reason.HELD_TOGETHER
        if await self.came_lately(alert) >= settings.flapping_from:
            return now + timedelta(seconds=settings.flapping_hold_seconds), Reason.HELD_FLAPPING
        return now + settings.wait_seconds.of(alert.severity), Reason.HELD_TOGETHER

    async def came_lately(self, alert: Alert) -> int:
        """Return how often people were told, within the time that counts as flapping, that this came."""
        since = self._around.now - timedelta(seconds=self._around.settings.flapping_within_seconds)
        query = (
            select(func.count(ALERTS.c.id.distinct()))
            .join(EPISODES, EPISODES.c.id == ALERTS.c.episode)
            .join(TELLINGS, TELLINGS.c.alert == ALERTS.c.id)
            .where(EPISODES.c.rule == alert.rule, EPISODES.c.subject == alert.subject, ALERTS.c.id != alert.id)
            .where(TELLINGS.c.bundle.is_not(None), TELLINGS.c.wanted_at > since)
        )
        return await self._around.connection.scalar(query) or 0

    def _past_told_at(self, alert: Alert) -> datetime | None:
        at = self._around.settings.past_told_at
        facility = self._around.directory.facilities.get(alert.facility)
        if at is None or facility is None:
            return None
        zone = ZoneInfo(facility.timezone)
        local = self._around.now.astimezone(zone)
        today = datetime.combine(local.date(), at, zone)
        next_one = today if today > local else datetime.combine(local.date() + timedelta(days=1), at, zone)
        return next_one.astimezone(self._around.now.tzinfo)


_SOMEWHERE = frozenset({Reach("", "")})
"""Where the alarm went; looked up when the message is composed."""


def _same_system() -> ColumnElement[bool]:
    return (TELLINGS.c.contact != "") | (NOTIFICATIONS.c.channel == TELLINGS.c.by)


def describe(decision: Decision) -> str:
    """Return a decision as the audit log tells it."""
    until = f"until {decision.until:%Y-%m-%dT%H:%M:%SZ}" if decision.until else ""
    parts = (decision.kind.value, decision.contact, f"by {decision.channel}" if decision.channel else "", until)
    return " ".join(part for part in parts if part)


def lanes_that_carried(reaches: Iterable[Reach], routes: Sequence[Route]) -> tuple[tuple[Reach, ...], ...]:
    """Return the lanes of an all-clear: each channel that carried the alarm, if it is still configured."""
    configured = {route.channel for route in routes}
    return tuple((reach,) for reach in dict.fromkeys(reaches) if reach.channel in configured)
