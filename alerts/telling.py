"""Whom an alert is to be told to: decisions about everybody concerned, kept until their messages are composed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, insert, literal_column, select, update

from alerts.bundle import Occasion
from alerts.escalation import Escalation, begin
from alerts.notification import UNREACHED, NotificationKind
from alerts.oncall.chain import MannedStep
from alerts.routing import Audience, Decision, Question, Reach, Reason, Route, decide, lanes_of
from alerts.rows import chunks
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


class Story(NamedTuple):
    """What there is to tell of an alert, which belongs to an incident."""

    alert: Alert
    incident: int
    news: News


Words = Mapping[tuple[str, str], NotificationKind]
"""The last word on an alert that reached each (contact, "") or ("", system), or still may."""


class Telling:
    """Decides about alerts within the caller's transaction; of each there is one story at a time."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def tell(self, stories: Sequence[Story]) -> list[tuple[Decision, ...]]:
        """Decide for everybody concerned, keep who is to be told now or later, and return the decisions on each."""
        cleared = await self._to_be_cleared([story.alert.id for story in stories if _is_clear(story)])
        followers = await self._followers([story.incident for story in stories if not _is_clear(story)])
        recipients = [
            cleared[story.alert.id] if _is_clear(story) else self._concerned(story.alert, followers[story.incident])
            for story in stories
        ]
        decided = await self._keep(stories, recipients)
        nobody = {
            story.incident: story.alert
            for story, decisions in zip(stories, decided, strict=True)
            if story.news.live and not _is_clear(story) and not any(map(_hears, decisions))
        }
        await begin(self._around, nobody)
        return decided

    async def tell_steps(self, stories: Sequence[Story], steps: Sequence[MannedStep]) -> list[tuple[Decision, ...]]:
        """Decide for the people of a later step of each alert's chain."""
        return await self._keep(stories, [self._people([step]) for step in steps])

    def _concerned(self, alert: Alert, followers: Iterable[str]) -> list[_Recipient]:
        people = self._people(Escalation(self._around, alert).steps[:1])
        known, told = self._around.directory.contacts, {each.key[0] for each in people}
        others = [self._recipient(known[name], ()) for name in followers if name in known and name not in told]
        return [*self._systems(), *people, *others]

    async def _keep(
        self, stories: Sequence[Story], recipients: Sequence[Sequence[_Recipient]]
    ) -> list[tuple[Decision, ...]]:
        if not self._around.routes:
            return [(Decision(Reason.SILENT_NO_CHANNEL, story.news.kind),) for story in stories]
        words = await self.last_words([story.alert.id for story in stories])
        came = await self.came_lately([story.alert for story in stories if _may_flap(story)])
        decided: list[tuple[Decision, ...]] = []
        wanted: list[dict[str, Any]] = []
        for story, people in zip(stories, recipients, strict=True):
            alert, news = story.alert, story.news
            wait = self._wait(story, came.get(alert.id, 0))
            decisions, rows = self._decided(alert, news, people, words.get(alert.id, {}), wait)
            wanted += rows
            decided.append(_summed_up(news, people, decisions, rows))
        await self._insert(wanted)
        return decided

    def _decided(
        self,
        alert: Alert,
        news: News,
        recipients: Sequence[_Recipient],
        words: Words,
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

    async def _insert(self, rows: Sequence[dict[str, Any]]) -> None:
        connection = self._around.connection
        transitions: dict[int, int] = {}
        for chunk in chunks(row["alert"] for row in rows):
            raised = update(ALERTS).where(ALERTS.c.id.in_(chunk)).values(transitions=literal_column("transitions") + 1)
            for row in await connection.execute(raised.returning(ALERTS.c.id, ALERTS.c.transitions)):
                transitions[row.id] = row.transitions
        if rows:
            numbered = [row | {"transition": transitions[row["alert"]]} for row in rows]
            await connection.execute(insert(TELLINGS), numbered)

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

    async def _followers(self, incidents: Iterable[int]) -> defaultdict[int, dict[str, None]]:
        """Return those who were told of alerts of the incidents before, in the order in which they were."""
        found: defaultdict[int, dict[str, None]] = defaultdict(dict)
        for chunk in chunks(incidents):
            told = (
                select(ALERTS.c.incident, TELLINGS.c.contact)
                .join(ALERTS, ALERTS.c.id == TELLINGS.c.alert)
                .where(ALERTS.c.incident.in_(chunk), TELLINGS.c.bundle.is_not(None), TELLINGS.c.contact != "")
            )
            for row in await self._around.connection.execute(told.order_by(TELLINGS.c.id)):
                found[row.incident][row.contact] = None
        return found

    async def _to_be_cleared(self, alerts: Iterable[int]) -> dict[int, list[_Recipient]]:
        """Return everybody who got, or still may get, a word on the alerts."""
        table = TELLINGS.c
        found: dict[int, dict[tuple[str, str], None]] = {alert: {} for alert in alerts}
        for chunk in chunks(found):
            told = select(table.alert, table.contact, table.by).where(table.alert.in_(chunk), table.bundle.is_not(None))
            for row in await self._around.connection.execute(told.order_by(table.id)):
                found[row.alert]["" if row.contact else row.by, row.contact] = None
        return {alert: [self._cleared(*each) for each in told] for alert, told in found.items()}

    def _cleared(self, by: str, contact: str) -> _Recipient:
        if not contact:
            return _Recipient(None, (by,), frozenset({Reach(by, "")}))
        return _Recipient(self._around.directory.contacts.get(contact) or Contact(contact, contact), (), _SOMEWHERE)

    async def last_words(self, alerts: Iterable[int]) -> dict[int, dict[tuple[str, str], NotificationKind]]:
        """Return the last word on each alert that reached somebody."""
        reached = (
            select(NOTIFICATIONS.c.id)
            .where(NOTIFICATIONS.c.bundle == TELLINGS.c.bundle, NOTIFICATIONS.c.contact == TELLINGS.c.contact)
            .where(NOTIFICATIONS.c.state.not_in(_UNREACHED), _same_system())
        )
        table = TELLINGS.c
        found: dict[int, dict[tuple[str, str], NotificationKind]] = {}
        for chunk in chunks(alerts):
            query = select(table.alert, table.contact, table.by, table.kind).where(
                table.alert.in_(chunk), table.bundle.is_not(None), reached.exists()
            )
            for row in await self._around.connection.execute(query.order_by(table.id)):
                recipient = (row.contact, "" if row.contact else row.by)
                found.setdefault(row.alert, {})[recipient] = NotificationKind(row.kind)
        return found

    def _wait(self, story: Story, came: int) -> tuple[datetime | None, Reason]:
        """Return until when people are not told in any case, and why."""
        settings, now = self._around.settings, self._around.now
        if _is_clear(story):
            return now + timedelta(seconds=settings.clear_wait_seconds), Reason.HELD_TOGETHER
        if not _may_flap(story):
            return None, Reason.HELD_TOGETHER
        if came >= settings.flapping_from:
            return now + timedelta(seconds=settings.flapping_hold_seconds), Reason.HELD_FLAPPING
        return now + settings.wait_seconds.of(story.alert.severity), Reason.HELD_TOGETHER

    async def came_lately(self, alerts: Sequence[Alert]) -> dict[int, int]:
        """Return how often people were told, within the time that counts as flapping, that each of these came."""
        since = self._around.now - timedelta(seconds=self._around.settings.flapping_within_seconds)
        told: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for chunk in chunks(alert.subject for alert in alerts):
            query = (
                select(EPISODES.c.rule, EPISODES.c.subject, ALERTS.c.id)
                .join(EPISODES, EPISODES.c.id == ALERTS.c.episode)
                .join(TELLINGS, TELLINGS.c.alert == ALERTS.c.id)
                .where(EPISODES.c.subject.in_(chunk))
                .where(TELLINGS.c.bundle.is_not(None), TELLINGS.c.wanted_at > since)
            )
            for row in await self._around.connection.execute(query):
                told[row.rule, row.subject].add(row.id)
        return {alert.id: len(told[alert.rule, alert.subject] - {alert.id}) for alert in alerts}

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


def _is_clear(story: Story) -> bool:
    return story.news.kind is NotificationKind.ALL_CLEAR


def _may_flap(story: Story) -> bool:
    return not _is_clear(story) and story.news.live and story.news.occasion is Occasion.NEW


def _hears(decision: Decision) -> bool:
    return bool(decision.contact) and (decision.reason.told or decision.reason.held)


def _summed_up(
    news: News, recipients: Sequence[_Recipient], decisions: Sequence[Decision], rows: Sequence[Any]
) -> tuple[Decision, ...]:
    """Return the decisions; one for all where nobody in particular is concerned."""
    if news.kind is NotificationKind.ALL_CLEAR and not recipients:
        return (Decision(Reason.SILENT_NEVER_TOLD, news.kind),)
    if not rows and not news.live and news.kind is not NotificationKind.ALL_CLEAR:
        return (Decision(Reason.SILENT_PAST, news.kind),)
    return tuple(decisions)


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
