"""Where a technician is needed: the worst appliances, and the facilities to visit, each with why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    """Return the appliances of these facilities that are registered and have figures."""
    return [
        Appliance(facility, directory.equipment[each.id], each.spent[stretch].now)
        for facility in facilities
        for each in _figures_of(facility, figures)
        if each.id in directory.equipment
    ]


def worst(appliances: Iterable[Appliance], most: int = MOST_WORST) -> list[Appliance]:
    """Return those that were out of their limits for the largest share of the time, the worst first."""
    known = [each for each in appliances if each.cold.judged_ms >= KNOWN_AT_LEAST_MS and each.cold.outside_ms]
    return sorted(known, key=worst_first)[:most]


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
        if status is None:
            continue
        appliances = sorted(appliances_of([facility], stretch, figures, directory), key=worst_first)
        if reasons := tuple(_reasons(status, appliances)):
            stops.append(Stop(facility, status, reasons))
    return sorted(stops, key=_most_urgent)


def _figures_of(facility: Facility, figures: Figures) -> tuple[ApplianceFigures, ...]:
    found = figures.by_facility.get(facility.id)
    return () if found is None else found.appliances


def _reasons(status: FacilityStatus, appliances: Iterable[Appliance]) -> Iterable[Reason]:
    if status.overall in _BY_STATUS:
        yield Reason(_BY_STATUS[status.overall])
    for each in appliances:
        if (each.outside or 0.0) > OUTSIDE_SHARE and each.cold.judged_ms >= KNOWN_AT_LEAST_MS:
            yield Reason(Why.TOO_COLD if each.cold.below_ms > each.cold.above_ms else Why.TOO_HOT, each)
        elif (share(each.cold.judged_ms, each.cold.span_ms) or 0.0) < UNSEEN_SHARE:
            yield Reason(Why.UNSEEN, each)


_BY_STATUS = {Status.CRITICAL: Why.CRITICAL, Status.SILENT: Why.SILENT, Status.WARNING: Why.ATTENTION}


def worst_first(appliance: Appliance) -> tuple[float, int, str, str]:
    """Return the sort key: the share of time out of range, how long that was, names."""
    outside = appliance.outside
    name = appliance.facility.name.casefold()
    return (-(outside or 0.0), -appliance.cold.outside_ms, name, appliance.equipment.id)


def _most_urgent(stop: Stop) -> tuple[int, float, int, str, str]:
    """Return the sort key: how it is now, how badly it was kept, how many alerts are open, name."""
    outside_ms = sum(each.appliance.cold.outside_ms for each in stop.reasons if each.appliance)
    name = stop.facility.name.casefold()
    return (stop.status.overall.rank, -outside_ms, -stop.status.open_alerts, name, stop.facility.id)
