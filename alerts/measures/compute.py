"""From rows to figures, without a database and without a clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

from alerts.measures.load import Load, load_of
from alerts.measures.rows import AlertRow, ClosingRow, District, MessageRow, Period, district_of
from alerts.notification import UNREACHED, NotificationState
from domain.directory import Directory
from domain.places import Place

_WEEK: Final = timedelta(weeks=1)
_DAY: Final = timedelta(days=1)
TOO_MANY_A_DAY: Final = 2.0
"""What Google's SRE book (chapter 11) takes for the most in one shift of somebody on call: two incidents."""
_UNSENT: Final = frozenset({NotificationState.QUEUED, *UNREACHED})


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took: of how many, the median and the time that nine of ten did not exceed."""

    number: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """How many messages one person was sent: one that tells of many alerts is one, one on two channels is two."""

    contact: str
    by_kind: dict[str, int]
    waiting: int
    """Queued and not sent yet; in none of the other figures, as are the failed ones."""
    failed: int
    per_week: float
    per_day: float
    too_many: bool


@dataclass(frozen=True, slots=True)
class ChannelShare:
    """What came of the messages on one channel that are settled."""

    channel: str
    settled: int
    undeliverable: int

    @property
    def share(self) -> float:
        """Return the undeliverable share."""
        return self.undeliverable / self.settled if self.settled else 0.0


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What one rule causes."""

    rule: str
    alarms: int
    unanswered: int
    median: timedelta | None
    """How long its episodes last; short ones are a sign of nuisance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The measures of a period at a place."""

    period: Period
    place: Place
    raised: int
    """Alerts raised: told, quiet and past ones together."""
    told: int
    quiet: int
    """Those that nobody was told of: shelved, suppressed, out of service, or without contacts."""
    past: int
    """Told of by late data only."""
    acknowledge: Spread
    unanswered: int
    restore: Spread
    ongoing: int
    escalated: int
    escalated_share: float
    people: tuple[PersonLoad, ...]
    channels: tuple[ChannelShare, ...]
    districts: tuple[Load, ...]
    rules: tuple[RuleFigures, ...]
    closings: dict[str, int]
    doses_affected: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything that was read."""

    alerts: Sequence[AlertRow]
    """Those raised in the period, and earlier ones that were present in it."""
    messages: Sequence[MessageRow]
    closings: Sequence[ClosingRow]


def measures_of(rows: Rows, period: Period, place: Place, directory: Directory) -> Measures:
    """Return the measures of those rows that the place covers."""
    facilities = directory.facilities
    present = [row for row in rows.alerts if place.covers(facilities.get(row.facility))]
    raised = [row for row in present if period.holds(row.raised_at)]
    live = [row for row in raised if not row.past]
    told = [row for row in live if row.told_at is not None]
    lasting = [row for row in raised if not row.retracted]
    closings = [row for row in rows.closings if place.covers(facilities.get(row.facility))]
    messages = {row.id: row for row in rows.messages if place.covers(facilities.get(row.facility))}.values()
    escalated = sum(row.escalated for row in told)
    return Measures(
        period=period,
        place=place,
        raised=len(raised),
        told=len(told),
        quiet=len(live) - len(told),
        past=len(raised) - len(live),
        acknowledge=spread(_answer_times(told)),
        unanswered=sum(row.answered_at is None for row in told),
        restore=spread(_lengths(lasting)),
        ongoing=sum(row.ended_at is None for row in lasting),
        escalated=escalated,
        escalated_share=escalated / len(told) if told else 0.0,
        people=_people(messages, period),
        channels=_channels(messages),
        districts=_districts(told, present, period, directory),
        rules=_rules(told),
        closings=dict(Counter(row.reason for row in closings).most_common()),
        doses_affected=sum(row.doses_affected or 0 for row in closings),
    )


def spread(times: Iterable[timedelta]) -> Spread:
    """Return the spread by nearest rank: each figure is a time that occurred."""
    ordered = sorted(times)
    return Spread(len(ordered), _rank(ordered, 0.5), _rank(ordered, 0.9))


def _rank(ordered: Sequence[timedelta], share: float) -> timedelta | None:
    return ordered[ceil(share * len(ordered)) - 1] if ordered else None


def _answer_times(told: Iterable[AlertRow]) -> list[timedelta]:
    """Return the times from the first message; somebody who saw it on a page before that took none."""
    pairs = [(row.told_at, row.answered_at) for row in told]
    return [max(answer - at, timedelta(0)) for at, answer in pairs if at is not None and answer is not None]


def _lengths(rows: Iterable[AlertRow]) -> list[timedelta]:
    return [row.ended_at - row.started_at for row in rows if row.ended_at is not None]


def _people(messages: Iterable[MessageRow], period: Period) -> tuple[PersonLoad, ...]:
    theirs: dict[str, list[MessageRow]] = defaultdict(list)
    for row in messages:
        if row.contact and row.state != NotificationState.CANCELLED:
            theirs[row.contact].append(row)
    people = [_person(contact, rows, period) for contact, rows in theirs.items()]
    return tuple(sorted(people, key=lambda each: (-each.per_day, each.contact)))


def _person(contact: str, rows: Sequence[MessageRow], period: Period) -> PersonLoad:
    states = Counter(row.state for row in rows)
    by_kind = Counter(row.kind for row in rows if row.state not in _UNSENT)
    a_day = by_kind.total() * (_DAY / period.length)
    return PersonLoad(
        contact=contact,
        by_kind=dict(by_kind),
        waiting=states[NotificationState.QUEUED],
        failed=states[NotificationState.FAILED],
        per_week=by_kind.total() * (_WEEK / period.length),
        per_day=a_day,
        too_many=a_day > TOO_MANY_A_DAY,
    )


def _channels(messages: Iterable[MessageRow]) -> tuple[ChannelShare, ...]:
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for row in messages:
        state = NotificationState(row.state)
        if state.is_final and state is not NotificationState.CANCELLED:
            counts[row.channel][state is NotificationState.FAILED] += 1
    return tuple(ChannelShare(channel, count.total(), count[True]) for channel, count in sorted(counts.items()))


def _districts(
    told: Iterable[AlertRow], present: Iterable[AlertRow], period: Period, directory: Directory
) -> tuple[Load, ...]:
    raised: dict[District, list[AlertRow]] = defaultdict(list)
    there: dict[District, list[AlertRow]] = defaultdict(list)
    for row in told:
        raised[district_of(row.facility, directory)].append(row)
    for row in present:
        if row.told_at is not None and not row.retracted and not row.past:
            there[district_of(row.facility, directory)].append(row)
    loads = [load_of(each, raised[each], there[each], period) for each in raised.keys() | there.keys()]
    return tuple(sorted(loads, key=lambda each: (-each.alarms, each.district)))


def _rules(told: Iterable[AlertRow]) -> tuple[RuleFigures, ...]:
    by_rule: dict[str, list[AlertRow]] = defaultdict(list)
    for row in told:
        by_rule[row.rule].append(row)
    figures = []
    for rule, rows in by_rule.items():
        lasted = spread(_lengths(row for row in rows if not row.retracted))
        figures.append(RuleFigures(rule, len(rows), sum(row.answered_at is None for row in rows), lasted.median))
    return tuple(sorted(figures, key=lambda each: (-each.alarms, each.rule)))
