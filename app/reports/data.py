"""The report on a month or any period as plain data, and as CSV: a row for each figure."""

from __future__ import annotations

import importlib.metadata
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.measures.compute import Measures, Rows, measures_of
from alerts.measures.rows import Period
from api.readings_csv import csv_text, plain_text
from app.reports.sla_data import place_data, service_data
from dashboards.report.appliance import Appliance, Excursion
from dashboards.report.facility import FacilityReport, Generator, Heard
from dashboards.report.month import month_within, zone_of
from dashboards.sla.targets import Target, target_of
from domain.directory import Directory
from domain.instant import SECOND_MS, format_rfc3339, to_datetime
from domain.places import Place

_COLUMNS: Final = ("facility", "name", "district", "part", "subject", "figure", "value", "from", "to")


def report_data(
    found: Sequence[FacilityReport],
    place: Place,
    period: tuple[datetime, datetime],
    as_of: datetime,
    targets: Sequence[Target],
) -> dict[str, Any]:
    """Return everything but alerts as plain data."""
    zone = zone_of(each.facility for each in found)
    month = month_within(period, zone)
    return {
        "from": format_rfc3339(period[0]),
        "to": format_rfc3339(period[1]),
        "as_of": format_rfc3339(as_of),
        "month": None if month is None else str(month),
        "timezone": zone,
        "version": importlib.metadata.version("vitals"),
        "place": place_data(place),
        "facilities": [_facility(each, targets) for each in found],
    }


def add_alerts(data: dict[str, Any], rows: Rows, place: Place, period: Period, directory: Directory) -> None:
    """Add what people were told, of each facility and of all of them."""
    by_facility: defaultdict[str, Rows] = defaultdict(lambda: Rows([], [], []))
    for kind in ("alerts", "messages", "closings"):
        for row in getattr(rows, kind):
            getattr(by_facility[row.facility], kind).append(row)
    data["alerts"] = _alerts(measures_of(rows, period, place, directory))
    for each in data["facilities"]:
        own = by_facility[each["id"]]
        each["alerts"] = _alerts(measures_of(own, period, Place(facility=each["id"]), directory))


def _facility(found: FacilityReport, targets: Sequence[Target]) -> dict[str, Any]:
    facility = found.facility
    return {
        "id": facility.id,
        "name": facility.name,
        "district": facility.district,
        "timezone": facility.timezone,
        "services": {
            service.value: service_data(figures, target_of(targets, facility, service))
            for service, figures in found.services.items()
        },
        "appliances": [_appliance(each) for each in found.appliances],
        "generators": [_generator(each) for each in found.generators],
        "channels": [_heard(each) for each in found.heard],
    }


def _appliance(found: Appliance) -> dict[str, Any]:
    worst = found.worst_day
    return {
        "id": found.equipment.id,
        "name": found.equipment.name,
        "kind": found.equipment.kind.value,
        "model": found.equipment.model,
        "in_range_seconds": _seconds(found.within_ms),
        "too_cold_seconds": _seconds(found.cold_ms),
        "too_hot_seconds": _seconds(found.hot_ms),
        "unknown_seconds": _seconds(found.unknown_ms),
        "out_of_service_seconds": _seconds(found.away_ms),
        "lowest_celsius": found.lowest,
        "highest_celsius": found.highest,
        "mean_kinetic_celsius": _rounded(found.kinetic),
        "worst_day_mean_kinetic_celsius": None if worst is None else _rounded(worst.celsius),
        "worst_day_until": None if worst is None else format_rfc3339(to_datetime(worst.until_ms)),
        "excursion_count": len(found.excursions),
        "excursions": [_excursion(each) for each in found.excursions],
    }


def _excursion(found: Excursion) -> dict[str, Any]:
    return {
        "channel": found.channel,
        "side": found.side.value,
        "start": format_rfc3339(to_datetime(found.span.from_ms)),
        "end": format_rfc3339(to_datetime(found.span.to_ms)),
        "seconds": _seconds(found.span.length_ms),
        "extreme_celsius": found.extreme,
        "extreme_at": format_rfc3339(to_datetime(found.extreme_ms)),
        "low_celsius": found.low if math.isfinite(found.low) else None,
        "high_celsius": found.high if math.isfinite(found.high) else None,
        "begun_before": found.begun_before,
        "goes_on": found.goes_on,
    }


def _generator(found: Generator) -> dict[str, Any]:
    return {
        "id": found.equipment.id,
        "name": found.equipment.name,
        "running_seconds": _seconds(found.running_ms),
        "known_seconds": _seconds(found.known_ms),
        "runs": found.runs,
    }


def _heard(found: Heard) -> dict[str, Any]:
    return {
        "id": found.channel.id,
        "equipment": found.equipment,
        "quantity": found.channel.quantity.name,
        "readings": found.readings,
        "known_seconds": _seconds(found.known_ms),
        "late": found.late,
    }


def _alerts(found: Measures) -> dict[str, Any]:
    return {
        "raised": found.raised,
        "told": found.told,
        "unanswered": found.unanswered,
        "escalated": found.escalated,
        "ongoing": found.ongoing,
        "answered": found.acknowledge.number,
        "answer_median_seconds": _length(found.acknowledge.median),
        "answer_nine_of_ten_seconds": _length(found.acknowledge.p90),
        "restored": found.restore.number,
        "restore_median_seconds": _length(found.restore.median),
        "restore_nine_of_ten_seconds": _length(found.restore.p90),
        "doses_affected": found.doses_affected,
    }


def _length(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _seconds(duration_ms: int) -> float | int:
    seconds = duration_ms / SECOND_MS
    return int(seconds) if seconds.is_integer() else seconds


def _rounded(celsius: float | None) -> float | None:
    return None if celsius is None else round(celsius, 4)


def report_csv(data: Mapping[str, Any]) -> str:
    """Return every figure in a row of its own, excursions and outages with their times."""
    lines: list[Sequence[object]] = [_COLUMNS]
    for facility in data["facilities"]:
        names = tuple(plain_text(facility[name]) for name in ("id", "name", "district"))
        for part, subject, figure, value, *times in _figures(facility):
            lines.append((*names, part, plain_text(subject), figure, value, *(times or ("", ""))))
    return csv_text(lines)


_Figure = tuple[Any, ...]
"""Part, subject, figure, value and perhaps from and to."""


def _figures(facility: Mapping[str, Any]) -> Iterator[_Figure]:
    for service, each in facility["services"].items():
        yield from (("service", service, name, value) for name, value in each.items() if name != "outages")
        for outage in each["outages"]:
            yield "service", service, "outage_seconds", outage["seconds"], outage["start"], outage["end"]
    for each in facility["appliances"]:
        yield from _plain("cold chain", each, leave_out={"kind", "model", "excursions"})
        yield from _excursions(each)
    for each in facility["generators"]:
        yield from _plain("generator", each)
    for each in facility["channels"]:
        yield from _plain("channel", each, leave_out={"equipment", "quantity"})
    yield from (("alerts", "", name, value) for name, value in facility.get("alerts", {}).items())


def _plain(part: str, found: Mapping[str, Any], leave_out: Iterable[str] = ()) -> Iterator[_Figure]:
    names = found.keys() - {"id", "name", *leave_out}
    yield from ((part, found["id"], name, found[name]) for name in found if name in names)


def _excursions(appliance: Mapping[str, Any]) -> Iterator[_Figure]:
    for each in appliance["excursions"]:
        times = each["start"], each["end"]
        side, subject = each["side"], each["channel"]
        yield "excursion", subject, f"{side}_seconds", each["seconds"], *times
        for name in ("extreme_celsius", "low_celsius", "high_celsius"):
            yield "excursion", subject, name, each[name], *times
