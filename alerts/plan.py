"""From everything that one person is to be told now to as few messages as can say it; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from alerts.bundle import Occasion, Shape
from alerts.notification import NotificationKind
from alerts.settings import TellingSettings
from domain.episode import Severity


class Item(NamedTuple):
    """One alert that a person is to be told of."""

    telling: int
    alert: int
    incident: int
    kind: NotificationKind
    occasion: Occasion
    severity: Severity
    rule: str
    facility: str
    district: str
    """With its region and country, so that it names one place."""
    first_out: datetime
    """When the excursion began: what began first is told first, as the probable cause."""
    by: tuple[str, ...] = ()
    """Media or channels that were asked for."""

    @property
    def says_clear(self) -> bool:
        """Tell whether it is an all-clear."""
        return self.kind is NotificationKind.ALL_CLEAR


@dataclass(frozen=True, slots=True)
class Planned:
    """A message to be: its items in the order in which they are told."""

    shape: Shape
    items: tuple[Item, ...]

    @property
    def severity(self) -> Severity:
        """Return the worst severity in it."""
        return max(item.severity for item in self.items)


class Sent(NamedTuple):
    """The moments of a person's messages within the last hour, oldest first."""

    calls: Sequence[datetime] = ()
    """Alarms, and whatever else tells of trouble."""
    clears: Sequence[datetime] = ()
    """All-clears."""


class Held(NamedTuple):
    """What waits for the next digest, and until when."""

    item: Item
    until: datetime


class Plan(NamedTuple):
    """What goes out now, and what waits for the next digest."""

    messages: tuple[Planned, ...] = ()
    held: tuple[Held, ...] = ()


def plan(items: Sequence[Item], *, sent: Sent, now: datetime, settings: TellingSettings) -> Plan:
    """Return the messages for these items, at most one for each alert.

    Within their number for an hour messages go out one by one, the worst first; where there are more, the last is a
    digest of all the others; where the number is used up, everything waits for the digest, which comes a while after
    the last message. All-clears have a number of their own, as large: a relief takes no room from what is new, and
    however many there are, they come to as few messages.
    """
    calls = [item for item in items if not item.says_clear]
    clears = [item for item in items if item.says_clear]
    told, over = _share(calls, sent.calls, now, settings), _share(clears, sent.clears, now, settings)
    return Plan(told.messages + over.messages, told.held + over.held)


def _share(items: Sequence[Item], sent: Sequence[datetime], now: datetime, settings: TellingSettings) -> Plan:
    """Return the messages within one number for an hour."""
    past = [item for item in items if item.kind is NotificationKind.PAST]
    present = [item for item in items if item.kind is not NotificationKind.PAST]
    messages = sorted(_by_area(_by_incident(present), settings), key=_urgency)
    if past:
        messages.append(Planned(Shape.DIGEST, tuple(past)))
    if not messages:
        return Plan()
    free = settings.messages_per_hour - len(sent)
    if free <= 0:
        due = sent[-1] + settings.digest_pause_seconds.of(max(message.severity for message in messages))
        if now < due:
            return Plan((), tuple(Held(item, due) for item in items))
        return Plan((_digest(messages),))
    if len(messages) <= free:
        return Plan(tuple(messages))
    return Plan((*messages[: free - 1], _digest(messages[free - 1 :])))


def _by_incident(items: Iterable[Item]) -> list[Planned]:
    groups: defaultdict[tuple[int, tuple[str, ...]], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.incident, item.by].append(item)
    return [Planned(Shape.INCIDENT, tuple(sorted(group, key=_first_out))) for group in groups.values()]


def _by_area(messages: Sequence[Planned], settings: TellingSettings) -> list[Planned]:
    groups: defaultdict[tuple[str, str, tuple[str, ...]], list[Planned]] = defaultdict(list)
    for message in messages:
        lead = message.items[0]
        groups[lead.rule, lead.district, lead.by].append(message)
    planned = []
    for group in groups.values():
        if len({message.items[0].facility for message in group}) < settings.area_from_facilities:
            planned += group
        else:
            planned.append(Planned(Shape.AREA, tuple(item for message in group for item in message.items)))
    return planned


def _digest(messages: Sequence[Planned]) -> Planned:
    if len(messages) == 1:
        return messages[0]
    return Planned(Shape.DIGEST, tuple(item for message in sorted(messages, key=_urgency) for item in message.items))


def _first_out(item: Item) -> tuple[datetime, int]:
    return item.first_out, item.alert


def _urgency(message: Planned) -> tuple[int, datetime, int]:
    lead = message.items[0]
    return -message.severity, lead.first_out, lead.alert
