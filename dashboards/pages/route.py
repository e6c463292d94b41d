"""The route list: which facilities a technician should visit, the worst first, with why and what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.figures.survey import Survey
from dashboards.figures.visits import Appliance, Reason, Stop, Why
from dashboards.pages.place import days_text, hours_text
from dashboards.pages.place_links import Link, address, crumbs, facility_address, place_title
from dashboards.pages.status import FacilityStatus, Status
from dashboards.pages.time_spent import percent
from dashboards.pages.wording import LocalTime, kind_word, local_time
from dashboards.pages.words import Words, noop
from domain.places import Facility
from domain.upkeep import Visit

MOST_STOPS = 100
"""More is no route; the file has all of them."""
_WORDS: Final = {
    Why.TOO_COLD: noop("too cold for {cold}, too hot for {hot}: out of range {share} of the time observed"),
    Why.TOO_HOT: noop("too hot for {hot}, too cold for {cold}: out of range {share} of the time observed"),
    Why.UNSEEN: noop("known only {share} of the time"),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a visit."""

    equipment: str
    """Empty where the facility as a whole is meant."""
    model: str
    text: str


@dataclass(frozen=True, slots=True)
class StopRow:
    """One facility to visit."""

    name: str
    address: str
    place: str
    status: Status
    tone: Status
    """What calls for a visit is never shown as if all were well."""
    now: tuple[str, ...]
    """What is wrong at present."""
    causes: tuple[Cause, ...]
    last_visit: LocalTime | None
    visited_by: str
    coordinates: str
    """``0.18333, 30.08333``; empty where nobody registered them."""
    geo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePage:
    """What the route list says."""

    title: str
    crumbs: tuple[Link, ...]
    period: str
    stops: tuple[StopRow, ...]
    left_out: str
    file: str
    computed: LocalTime


def route_page(
    found: Survey, statuses: Sequence[FacilityStatus], visits: Mapping[str, Visit], words: Words
) -> RoutePage:
    """Return the route list of a survey.

    ``statuses`` are those of the stops that are shown, in their words; ``visits`` holds the last one of each facility
    that was ever visited.
    """
    shown = list(zip(found.stops[:MOST_STOPS], statuses, strict=True))
    left_out = len(found.stops[MOST_STOPS:])
    here = Link(place_title(found.where, words), address(found))
    return RoutePage(
        title=words.many("{count} facility to visit", "{count} facilities to visit", len(found.stops)),
        crumbs=(*crumbs(found, words), here),
        period=days_text(found, words),
        stops=tuple(_stop(stop, status, visits.get(stop.facility.id), found.now_ms, words) for stop, status in shown),
        left_out=words.many(
            "{count} more is not listed here; the file has all.", "{count} more are not listed here; the file has all.",
            left_out,
        ) if left_out else "",
        file=address(found, path="/places/route.csv"),
        computed=local_time(found.now_ms, "UTC", found.now_ms, words),
    )  # fmt: skip


def _stop(stop: Stop, status: FacilityStatus, visit: Visit | None, now_ms: int, words: Words) -> StopRow:
    facility = stop.facility
    return StopRow(
        name=facility.name,
        address=facility_address(facility.id),
        place=" · ".join(part for part in (facility.district, facility.region) if part),
        status=stop.status.overall,
        tone=min(stop.status.overall, Status.WARNING, key=lambda status: status.rank),
        now=status.reasons,
        causes=tuple(_cause(reason, reason.appliance, words) for reason in stop.reasons if reason.appliance),
        last_visit=None if visit is None else local_time(visit.at, facility.timezone, now_ms, words),
        visited_by="" if visit is None else visit.by,
        coordinates=_coordinates(facility, ", "),
        geo=f"geo:{_coordinates(facility, ',')}" if _coordinates(facility, ",") else "",
    )


def _cause(reason: Reason, appliance: Appliance, words: Words) -> Cause:
    cold, equipment = appliance.cold, appliance.equipment
    part, whole = (cold.judged_ms, cold.span_ms) if reason.why is Why.UNSEEN else (cold.outside_ms, cold.judged_ms)
    text = words(
        _WORDS[reason.why],
        cold=hours_text(cold.below_ms, words),
        hot=hours_text(cold.above_ms, words),
        share=percent(part, whole, words) if whole else percent(0, 1, words),
    )
    return Cause(equipment.name, equipment.model or kind_word(equipment.kind, words), text)


def _coordinates(facility: Facility, separator: str) -> str:
    if facility.latitude is None or facility.longitude is None:
        return ""
    return f"{facility.latitude:.5f}{separator}{facility.longitude:.5f}"
