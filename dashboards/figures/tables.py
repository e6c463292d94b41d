"""The tables of a survey as rows for a spreadsheet; names of columns hold units and are the same in all languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dashboards.figures.places import Level, Part
from dashboards.figures.survey import Survey
from dashboards.figures.tally import Stretch, Tally, share
from dashboards.figures.visits import Appliance, Stop
from domain.instant import DAY_MS, HOUR_MS, format_rfc3339
from domain.upkeep import Visit

Cell = str | int | float | None
Rows = tuple[Sequence[str], list[Sequence[Cell]]]
"""Header and rows."""

_FIGURES = (
    "in_range_percent", "too_cold_percent", "too_hot_percent", "cold_observed_percent",
    "power_hours_a_day", "power_observed_percent", "water_days_percent", "water_observed_percent",
)  # fmt: skip
_PLACE = ("country", "region", "district", "facility")


def parts_table(survey: Survey) -> Rows:
    """Return the table of the parts of a place, with the stretch of days before beside each figure."""
    header = [*_PLACE, "facility_name", "facilities", "silent_facilities", "open_alerts", "days"]
    header += [*_FIGURES, *(f"{name}_before" for name in _FIGURES)]
    return header, [_part_row(part, survey) for part in survey.parts]


def appliances_table(appliances: Iterable[Appliance], stretch: Stretch) -> Rows:
    """Return a table of appliances."""
    header = [
        *_PLACE, "facility_name", "equipment", "equipment_name", "kind", "model", "pqs_code", "days",
        "out_of_range_percent", "too_cold_hours", "too_hot_hours", "observed_percent",
    ]  # fmt: skip
    return header, [
        (
            each.facility.country, each.facility.region, each.facility.district, each.facility.id, each.facility.name,
            each.equipment.id, each.equipment.name, each.equipment.kind.value, each.equipment.model,
            each.equipment.pqs_code, int(stretch), percent_of(each.cold.outside_ms, each.cold.judged_ms),
            round(each.cold.below_ms / HOUR_MS, 2), round(each.cold.above_ms / HOUR_MS, 2),
            percent_of(each.cold.judged_ms, each.cold.span_ms),
        )
        for each in appliances
    ]  # fmt: skip


def route_table(stops: Iterable[Stop], visits: Mapping[str, Visit]) -> Rows:
    """Return the route list of a technician."""
    header = [
        "position", *_PLACE, "facility_name", "status", "open_alerts", "why", "equipment_name", "model",
        "last_visit", "last_visit_by", "latitude", "longitude",
    ]  # fmt: skip
    rows: list[Sequence[Cell]] = []
    for position, stop in enumerate(stops, 1):
        facility, visit = stop.facility, visits.get(stop.facility.id)
        rows += [
            (
                position, facility.country, facility.region, facility.district, facility.id, facility.name,
                stop.status.overall.value, stop.status.open_alerts, reason.why.value,
                reason.appliance.equipment.name if reason.appliance else "",
                reason.appliance.equipment.model if reason.appliance else "",
                format_rfc3339(visit.at) if visit else "", visit.by if visit else "",
                facility.latitude, facility.longitude,
            )
            for reason in stop.reasons
        ]  # fmt: skip
    return header, rows


def percent_of(part: float, whole: float) -> float | None:
    """Return a share in percent, to two places; None of nothing."""
    found = share(part, whole)
    return None if found is None else round(found * 100, 2)


def _part_row(part: Part, survey: Survey) -> Sequence[Cell]:
    named = (*part.names, *[""] * (Level.FACILITY.depth - len(part.names)))
    name = part.title if survey.level is Level.FACILITY else ""
    figures = [cell for tally in part.compared for cell in _figures(tally)]
    return (*named, name, part.facilities, part.silent, part.open_alerts, int(survey.stretch), *figures)


def _figures(tally: Tally) -> Iterable[Cell]:
    cold, power, water = tally
    hours = share(power.on_ms, power.known_ms)
    return (
        percent_of(cold.within_ms, cold.judged_ms), percent_of(cold.below_ms, cold.judged_ms),
        percent_of(cold.above_ms, cold.judged_ms), percent_of(cold.judged_ms, cold.span_ms),
        None if hours is None else round(hours * DAY_MS / HOUR_MS, 2), percent_of(power.known_ms, power.span_ms),
        percent_of(water.days, water.known_days), percent_of(water.known_days, water.span_days),
    )  # fmt: skip
