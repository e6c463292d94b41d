"""What days of channels come to for one facility: its appliances, its power, its water.

Days are UTC. Of an appliance with several probes the worst one counts, day by day: a mean would hide what the warm
corner went through. Power of a day is what the best supply gave and what a generator added, at most the time that is
known. A day has water where any tank, tap or meter that was heard for half of it showed some. What is to be watched
begins with the first day of which anything is known, and for an appliance ends where it went out of service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from dashboards.figures.tally import DAYS_KEPT, Cold, Compared, Power, Stretch, Tally, Water, summed
from dashboards.figures.watched import Watched, shows_water
from domain.channel_day import ChannelDay
from domain.instant import DAY_MS

Kind = TypeVar("Kind", Cold, Power, Water)
_ByDay = Mapping[str, Mapping[int, ChannelDay]]
"""Rows by channel and day; day 0 is the oldest that counts."""


class ColdCompared(NamedTuple):
    """How an appliance was kept, and how in the stretch before."""

    now: Cold = Cold()
    before: Cold = Cold()


@dataclass(frozen=True, slots=True)
class ApplianceFigures:
    """How one fridge, freezer or cold room did."""

    id: str
    spent: Mapping[Stretch, ColdCompared]


@dataclass(frozen=True, slots=True)
class FacilityFigures:
    """How one facility did."""

    id: str
    tallies: Mapping[Stretch, Compared]
    appliances: tuple[ApplianceFigures, ...] = ()


def facility_figures(watched: Watched, rows: Iterable[ChannelDay], end_ms: int) -> FacilityFigures:
    """Return how a facility did up to a midnight, UTC; rows of other channels and days are passed over."""
    begin_ms = end_ms - DAYS_KEPT * DAY_MS
    by_day = _by_day(watched, rows, begin_ms)
    power, water = _power(watched, by_day), _water(watched, by_day)
    appliances = tuple(
        ApplianceFigures(id_, {each: ColdCompared(*_both(Cold, days, each)) for each in Stretch})
        for id_, days in _cold(watched, by_day, begin_ms).items()
    )
    return FacilityFigures(
        watched.facility, {each: _tallied(appliances, power, water, each) for each in Stretch}, appliances
    )


def _tallied(
    appliances: Sequence[ApplianceFigures], power: Sequence[Power], water: Sequence[Water], stretch: Stretch
) -> Compared:
    powers, waters = _both(Power, power, stretch), _both(Water, water, stretch)
    now, before = (
        Tally(summed(Cold, [each.spent[stretch][part] for each in appliances]), powers[part], waters[part])
        for part in (0, 1)
    )
    return Compared(now, before)


def _both(kind: type[Kind], days: Sequence[Kind], stretch: Stretch) -> tuple[Kind, Kind]:
    """Return the sums of the last days and of as many before them."""
    return summed(kind, days[-stretch:]), summed(kind, days[-2 * stretch : -stretch])


def _by_day(watched: Watched, rows: Iterable[ChannelDay], begin_ms: int) -> _ByDay:
    found: dict[str, dict[int, ChannelDay]] = {channel: {} for channel in watched.channels}
    for row in rows:
        day = (row.start_ms - begin_ms) // DAY_MS
        if row.channel in found and 0 <= day < DAYS_KEPT:
            found[row.channel][day] = row
    return found


def _cold(watched: Watched, by_day: _ByDay, begin_ms: int) -> dict[str, list[Cold]]:
    """Return the days of every appliance that has, or had, limits to be judged by; until it went out of service."""
    days = {appliance: [_UNKNOWN] * DAYS_KEPT for appliance in dict.fromkeys(watched.probes.values())}
    for channel, appliance in watched.probes.items():
        worst = days[appliance]
        for day, row in by_day[channel].items():
            found = Cold(DAY_MS, row.judged_ms, row.below_ms, row.above_ms)
            if (found.outside_ms, found.judged_ms) > (worst[day].outside_ms, worst[day].judged_ms):
                worst[day] = found
    for appliance, since_ms in watched.retired.items():
        served = max((since_ms - begin_ms) // DAY_MS, 0)
        days[appliance][served:] = [Cold()] * len(days[appliance][served:])
    known = {appliance: [day.judged_ms for day in found] for appliance, found in days.items()}
    return {
        appliance: _once_known(Cold, found, known[appliance])
        for appliance, found in days.items()
        if appliance in watched.limited or any(known[appliance])
    }


def _power(watched: Watched, by_day: _ByDay) -> list[Power]:
    if not watched.supplies and not watched.generators:
        return []
    # A generator that stands still tells nothing of the grid.
    known = _best(watched.supplies or watched.generators, by_day, lambda row: row.covered_ms)
    supplied, generated = (_best(which, by_day, _on_ms) for which in (watched.supplies, watched.generators))
    found = [
        Power(DAY_MS, most, min(most, grid + generator))
        for most, grid, generator in zip(known, supplied, generated, strict=True)
    ]
    return _once_known(Power, found, known)


def _best(channels: Iterable[str], by_day: _ByDay, of: Callable[[ChannelDay], int]) -> list[int]:
    """Return the highest of each day, among channels that were read on it."""
    found = [0] * DAYS_KEPT
    for channel in channels:
        for day, row in by_day[channel].items():
            if row.mean is not None and (value := of(row)) > found[day]:
                found[day] = value
    return found


def _on_ms(row: ChannelDay) -> int:
    return round(min(row.mean or 0.0, 1.0) * row.covered_ms)


def _water(watched: Watched, by_day: _ByDay) -> list[Water]:
    if not watched.water:
        return []
    found = [Water(1)] * DAYS_KEPT
    for channel, quantity in watched.water.items():
        for day, row in by_day[channel].items():
            known = row.covered_ms >= DAY_MS // 2
            if known and (shows_water(quantity, row) or not found[day].known_days):
                found[day] = Water(1, 1, int(shows_water(quantity, row)))
    return _once_known(Water, found, [day.known_days for day in found])


def _once_known(kind: type[Kind], days: list[Kind], known: Sequence[int]) -> list[Kind]:
    """Leave out the days before anything was known at all: what was not there yet was not to be watched."""
    first = next((day for day, much in enumerate(known) if much), 0)
    return [kind()] * first + days[first:]


_UNKNOWN = Cold(DAY_MS)
