"""Places and their parts: a nation is its countries, regions, districts and facilities, whichever one asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dashboards.figures.facility import FacilityFigures
from dashboards.figures.tally import Compared, Stretch, share, total
from dashboards.pages.status import FacilityStatus, Status
from domain.places import Facility

Where = tuple[str, ...]
"""The names on the way to a place: () is everywhere, then country, region, district; each may be empty."""


class Level(StrEnum):
    """What a table has a row for."""

    COUNTRY = "country"
    REGION = "region"
    DISTRICT = "district"
    FACILITY = "facility"

    @property
    def depth(self) -> int:
        """Return how many names lead to one."""
        return _DEPTHS[self]


_DEPTHS = {level: number for number, level in enumerate(Level, start=1)}


class Order(StrEnum):
    """By what a table is sorted, the worst first; what is not known stands last."""

    IN_RANGE = "in_range"
    COLD = "too_cold"
    HOT = "too_hot"
    POWER = "power"
    WATER = "water"
    SILENT = "silent"
    ALERTS = "alerts"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Figures:
    """How every facility did up to a midnight, UTC."""

    end_ms: int = 0
    """The midnight at which the last day that counts ended; 0 before anything is known."""
    computed_ms: int = 0
    by_facility: Mapping[str, FacilityFigures] = field(default_factory=dict)
    missing: int = 0
    """How many facilities were not worked out yet since the start."""

    def of(self, facility: str, stretch: Stretch) -> Compared:
        """Return how a facility did; nothing where nothing is known."""
        found = self.by_facility.get(facility)
        return Compared() if found is None else found.tallies[stretch]

    def within(self, facilities: Collection[str]) -> Figures:
        """Return only what concerns these facilities."""
        found = {id_: each for id_, each in self.by_facility.items() if id_ in facilities}
        return replace(self, by_facility=found)


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the table of a place."""

    names: Where
    """The way to it; the last one of a facility is its id."""
    title: str
    facilities: int
    silent: int
    open_alerts: int
    """Those that say something about the present."""
    compared: Compared


def names_of(facility: Facility) -> Where:
    """Return the way to a facility."""
    return facility.country, facility.region, facility.district, facility.id


def inside(facilities: Iterable[Facility], where: Where) -> list[Facility]:
    """Return the facilities of a place."""
    return [each for each in facilities if names_of(each)[: len(where)] == where]


def narrowed_where(facilities: Iterable[Facility], where: Where) -> Where:
    """Return the smallest place that holds the same facilities: with one country everywhere is that country."""
    deepest = Level.DISTRICT.depth
    found = {names_of(each)[:deepest] for each in facilities}
    while found and len(where) < deepest and len({names[: len(where) + 1] for names in found}) == 1:
        where = next(iter(found))[: len(where) + 1]
    return where


def parts_of(
    facilities: Iterable[Facility],
    level: Level,
    stretch: Stretch,
    figures: Figures,
    statuses: Mapping[str, FacilityStatus],
) -> list[Part]:
    """Return the parts of a place at a level, in no order."""
    grouped: defaultdict[Where, list[Facility]] = defaultdict(list)
    depth = level.depth
    for facility in facilities:
        grouped[names_of(facility)[:depth]].append(facility)
    return [
        Part(
            names,
            some[0].name if level is Level.FACILITY else names[-1],
            len(some),
            sum(status.overall is Status.SILENT for status in _known(some, statuses)),
            sum(status.open_alerts for status in _known(some, statuses)),
            total(figures.of(each.id, stretch) for each in some),
        )
        for names, some in grouped.items()
    ]


def in_order(parts: Iterable[Part], order: Order) -> list[Part]:
    """Return the parts, the worst first, equals by name."""
    badness = _BADNESS[order]

    def key(part: Part) -> tuple[bool, float, str, Where]:
        bad = badness(part)
        return bad is None, -(bad or 0.0), part.title.casefold(), part.names

    return sorted(parts, key=key)


def _known(facilities: Iterable[Facility], statuses: Mapping[str, FacilityStatus]) -> Iterable[FacilityStatus]:
    return (statuses[each.id] for each in facilities if each.id in statuses)


def _lacking(part: float, whole: float) -> float | None:
    found = share(part, whole)
    return None if found is None else 1 - found


_BADNESS: Mapping[Order, Callable[[Part], float | None]] = {
    Order.IN_RANGE: lambda part: share(part.compared.now.cold.outside_ms, part.compared.now.cold.judged_ms),
    Order.COLD: lambda part: share(part.compared.now.cold.below_ms, part.compared.now.cold.judged_ms),
    Order.HOT: lambda part: share(part.compared.now.cold.above_ms, part.compared.now.cold.judged_ms),
    Order.POWER: lambda part: _lacking(part.compared.now.power.on_ms, part.compared.now.power.known_ms),
    Order.WATER: lambda part: _lacking(part.compared.now.water.days, part.compared.now.water.known_days),
    Order.SILENT: lambda part: share(part.silent, part.facilities),
    Order.ALERTS: lambda part: float(part.open_alerts),
    Order.NAME: lambda _: 0.0,
}
