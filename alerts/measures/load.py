"""How many alarms a district has to bear, by the figures of ISA-18.2 / IEC 62682 and EEMUA 191.

An alarm is an alert that somebody was told of, at the moment it was raised. Time is cut into hours and stretches of
ten minutes from the beginning of the period. A flood begins with more than ten alarms in ten minutes and ends with
fewer than five; an alarm is stale that stands for more than 24 hours (both ISA-18.2). One deviation fits a slower
process than a refinery: an alarm chatters that comes three times within an hour (ISA-18.2: within a minute). Two alarms
are the same if their rule and their subject are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from alerts.measures.bands import (
    MOST_IN_TEN_MINUTES,
    Band,
    chattering_band,
    peak_band,
    priority_band,
    rate_band,
    share_band,
    stale_band,
    top_ten_band,
)
from alerts.measures.rows import AlertRow, District, Period
from domain.episode import Severity

TEN_MINUTES: Final = timedelta(minutes=10)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MOST_IN_AN_HOUR: Final = 30
"""ISA-18.2: an hour with more is busy."""
FLOOD_ENDS_BELOW: Final = 5
"""ISA-18.2: alarms in ten minutes."""
_CHATTERS_AT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load of one district, each figure with its word."""

    district: District
    alarms: int
    per_ten_minutes: float
    per_hour: float
    per_day: float
    rate: Band
    busy_hours: float
    """Share of hours with more than 30 alarms."""
    busy_hours_band: Band
    floods: int
    in_flood: float
    """Share of time in flood."""
    in_flood_band: Band
    most_in_ten_minutes: int
    most_in_ten_minutes_band: Band
    priorities: dict[Severity, float]
    priorities_band: Band
    chattering: int
    chattering_band: Band
    stale: int
    """The most that were stale at once."""
    stale_band: Band
    top_ten: float
    """Share of the ten most frequent alarms."""
    top_ten_band: Band


def load_of(district: District, raised: Sequence[AlertRow], present: Iterable[AlertRow], period: Period) -> Load:
    """Return the load by the alarms raised within the period and all that were present in it."""
    number = len(raised)
    tens = Counter((row.raised_at - period.from_) // TEN_MINUTES for row in raised)
    hours = Counter((row.raised_at - period.from_) // HOUR for row in raised)
    per_ten = number * (TEN_MINUTES / period.length)
    busy = sum(many > MOST_IN_AN_HOUR for many in hours.values()) / ceil(period.length / HOUR)
    peak = max(tens.values(), default=0)
    floods, flooded = _floods(tens)
    in_flood = flooded / ceil(period.length / TEN_MINUTES)
    names = Counter((row.rule, row.subject) for row in raised)
    severities = Counter(row.severity for row in raised)
    priorities = {each: _share(severities[each], number) for each in Severity}
    chattering, stale = _chattering(raised), _most_stale(present, period)
    top_ten = _share(sum(many for _, many in names.most_common(10)), number)
    return Load(
        district=district,
        alarms=number,
        per_ten_minutes=per_ten,
        per_hour=number * (HOUR / period.length),
        per_day=number * (DAY / period.length),
        rate=rate_band(per_ten),
        busy_hours=busy,
        busy_hours_band=share_band(busy),
        floods=floods,
        in_flood=in_flood,
        in_flood_band=share_band(in_flood),
        most_in_ten_minutes=peak,
        most_in_ten_minutes_band=peak_band(peak),
        priorities=priorities,
        priorities_band=priority_band(priorities),
        chattering=chattering,
        chattering_band=chattering_band(chattering),
        stale=stale,
        stale_band=stale_band(stale),
        top_ten=top_ten,
        top_ten_band=top_ten_band(top_ten),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _floods(tens: Counter[int]) -> tuple[int, int]:
    """Return how many floods there were and how many stretches of ten minutes they lasted."""
    floods = flooded = 0
    last = None
    for at in sorted(tens):
        goes_on = last is not None and at == last + 1 and tens[at] >= FLOOD_ENDS_BELOW
        if goes_on or tens[at] > MOST_IN_TEN_MINUTES:
            floods += not goes_on
            flooded += 1
            last = at
    return floods, flooded


def _chattering(raised: Iterable[AlertRow]) -> int:
    moments: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for row in raised:
        moments[row.rule, row.subject].append(row.raised_at)
    return sum(_chatters(sorted(each)) for each in moments.values())


def _chatters(moments: Sequence[datetime]) -> bool:
    ahead = moments[_CHATTERS_AT - 1 :]
    return any(later - earlier < HOUR for earlier, later in zip(moments, ahead, strict=False))


def _most_stale(present: Iterable[AlertRow], period: Period) -> int:
    changes = []
    for row in present:
        begins = max(row.raised_at + DAY, period.from_)
        ends = min(row.ended_at or period.to, period.to)
        if begins < ends:
            changes += [(begins, 1), (ends, -1)]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most
