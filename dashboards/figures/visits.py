"""Where a technician is needed: the worst appliances, and the facilities to visit, each with why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import nlargest

from dashboards.figures.facility import ApplianceFigures
from dashboards.figures.places import Figures
from dashboards.figures.tally import Cold, Stretch, share
from dashboards.pages.status import FacilityStatus, Status
from domain.directory import Directory
from domain.instant import DAY_MS
from domain.places import Equipment, Facility

MOST_WORST = 10
KNOWN_AT_LEAST_MS = DAY_MS
"""An appliance of which less is known is not compared with others."""
OUTSIDE_SHARE = 0.05
"""From here on an appliance is worth a visit. Our own choice: about half of what 36 Kenyan sites reached by reviews."""
UNSEEN_SHARE = 0.5
"""An appliance of which less than this share is known cannot be trusted, as ColdTrace takes it."""


@dataclass(frozen=True, slots=True)
class Appliance:
    """An appliance and how it was kept."""

    facility: Facility
    equipment: Equipment
    cold: Cold

    @property
    def outside(self) -> float | None:
        """Return the share of the known time out of its limits."""
        return share(self.cold.outside_ms, self.cold.judged_ms)


class Why(StrEnum):
    """What makes a visit worth while."""

    CRITICAL = "critical"
    SILENT = "silent"
    TOO_COLD = "too_cold"
    TOO_HOT = "too_hot"
    UNSEEN = "unseen"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and which appliance is meant."""

    why: Why
    appliance: Appliance | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A facility to visit."""

    facility: Facility
    status: FacilityStatus
    reasons: tuple[Reason, ...]
    """Never empty."""


def appliances_of(
    facilities: Iterable[Facility], stretch: Stretch, figures: Figures, directory: Directory
) -> list[Appliance]:
    """Return the appliances of these facilities that are registered and have figures, the worst first."""
    found = [
        Appliance(facility, directory.equipment[each.id], each.spent[stretch].now)
        for facility in facilities
        for each in _figures_of(facility, figures)
        if each.id in directory.equipment
    ]
    return sorted(found, key=_worst_first)


def worst(
    facilities: Iterable[Facility], stretch: Stretch, figures: Figures, directory: Directory, most: int = MOST_WORST
) -> list[Appliance]:
    """Return those that were out of their limits for the largest share of the time, the worst first."""
    # Of a nation's appliances few are among them: only those become more than a pair of numbers.
    ranked = (
        (cold.outside_ms / cold.judged_ms, cold.outside_ms, each.id, facility.id)
        for facility in facilities
        for each in _figures_of(facility, figures)
        if (cold := each.spent[stretch].now).judged_ms >= KNOWN_AT_LEAST_MS and each.id in directory.equipment
    )
    chosen = nlargest(most, ranked)
    there = {facility: {appliance for _, _, appliance, owner in chosen if owner == facility} for *_, facility in chosen}
    candidates = appliances_of((directory.facilities[each] for each in there), stretch, figures, directory)
    return [each for each in candidates if each.equipment.id in there[each.facility.id] and each.cold.outside_ms]


def route(
    facilities: Iterable[Facility],
    stretch: Stretch,
    figures: Figures,
    directory: Directory,
    statuses: Mapping[str, FacilityStatus],
) -> list[Stop]:
    """Return the facilities that need a visit, the worst first."""
    stops = []
    for facility in facilities:
        status = statuses.get(facility.id)
        if status is None or (status.overall not in _BY_STATUS and not _needs_care(facility, stretch, figures)):
            continue
        appliances = appliances_of([facility], stretch, figures, directory)
        if reasons := tuple(_reasons(status, appliances)):
            stops.append(Stop(facility, status, reasons))
    return sorted(stops, key=_most_urgent)


def _figures_of(facility: Facility, figures: Figures) -> tuple[ApplianceFigures, ...]:
    found = figures.by_facility.get(facility.id)
    return () if found is None else found.appliances


def _needs_care(facility: Facility, stretch: Stretch, figures: Figures) -> bool:
    colds = (each.spent[stretch].now for each in _figures_of(facility, figures))
    return any(_is_outside(cold) or _is_unseen(cold) for cold in colds)


def _is_outside(cold: Cold) -> bool:
    return cold.judged_ms >= KNOWN_AT_LEAST_MS and cold.outside_ms > OUTSIDE_SHARE * cold.judged_ms


def _is_unseen(cold: Cold) -> bool:
    return cold.judged_ms < UNSEEN_SHARE * cold.span_ms


def _reasons(status: FacilityStatus, appliances: Iterable[Appliance]) -> Iterable[Reason]:
    if status.overall in _BY_STATUS:
        yield Reason(_BY_STATUS[status.overall])
    for each in appliances:
        if _is_outside(each.cold):
            yield Reason(Why.TOO_COLD if each.cold.below_ms > each.cold.above_ms else Why.TOO_HOT, each)
        elif _is_unseen(each.cold):
            yield Reason(Why.UNSEEN, each)


_BY_STATUS = {Status.CRITICAL: Why.CRITICAL, Status.SILENT: Why.SILENT, Status.WARNING: Why.ATTENTION}


def _worst_first(appliance: Appliance) -> tuple[float, int, str, str]:
    outside, name = appliance.outside, appliance.facility.name.casefold()
    return (-(outside or 0.0), -appliance.cold.outside_ms, name, appliance.equipment.id)


def _most_urgent(stop: Stop) -> tuple[int, float, int, str, str]:
    """Return the sort key: how it is now, how badly it was kept, how many alerts are open, name."""
    outside_ms = sum(each.appliance.cold.outside_ms for each in stop.reasons if each.appliance)
    name = stop.facility.name.casefold()
    return (stop.status.overall.rank, -outside_ms, -stop.status.open_alerts, name, stop.facility.id)
