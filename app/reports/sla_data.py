"""The contract figures as plain data, and as a table, CSV or JSON."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from api.readings_csv import csv_text, plain_text
from dashboards.report.month import month_within, zone_of
from dashboards.sla.figures import Indices, Outage, ServiceFigures, indices
from dashboards.sla.targets import Target, target_of
from domain.instant import SECOND_MS, format_rfc3339, to_datetime
from domain.places import Facility, Place, Service

Figures = Mapping[Service, ServiceFigures]
_ORDER: Final = (Service.POWER, Service.COLD_CHAIN, Service.WATER, Service.MONITORING)
_COLUMNS: Final = (
    "facility", "name", "district", "service", "availability", "up_seconds", "down_seconds", "unknown_seconds",
    "planned_seconds", "outages", "momentary", "target", "kept",
)  # fmt: skip
_MEASURED: Final = _COLUMNS[4:11]
"""Of these: what late data can change."""


def report(
    found: Iterable[tuple[Facility, Figures]],
    place: Place,
    period: tuple[datetime, datetime],
    as_of: datetime,
    targets: Sequence[Target] = (),
) -> dict[str, Any]:
    """Return everything as plain data: by facility, and the indices by service."""
    facilities = list(found)
    zone = zone_of(facility for facility, _ in facilities)
    month = month_within(period, zone)
    of_service = {service: [figures[service] for _, figures in facilities if service in figures] for service in _ORDER}
    return {
        "from": format_rfc3339(period[0]),
        "to": format_rfc3339(period[1]),
        "as_of": format_rfc3339(as_of),
        "timezone": zone,
        "version": importlib.metadata.version("vitals"),
        "month": None if month is None else str(month),
        "place": place_data(place),
        "indices": {service.value: _indices(indices(each)) for service, each in of_service.items() if each},
        "facilities": [_facility(facility, figures, targets) for facility, figures in facilities],
    }


def place_data(place: Place) -> dict[str, str]:
    """Return the parts of a place that are named."""
    names = ("country", "region", "district", "facility")
    return {name: part for name in names if (part := getattr(place, name))}


def _indices(found: Indices) -> dict[str, Any]:
    return {
        "facilities": found.facilities,
        "sustained": found.sustained,
        "momentary": found.momentary,
        "saifi": _rounded(found.saifi),
        "saidi_minutes": _rounded(found.saidi_minutes),
        "caidi_minutes": _rounded(found.caidi_minutes),
        "maifi": _rounded(found.maifi),
    }


def _facility(facility: Facility, figures: Figures, targets: Sequence[Target]) -> dict[str, Any]:
    return {
        "id": facility.id,
        "name": facility.name,
        "district": facility.district,
        "timezone": facility.timezone,
        "services": {
            service.value: service_data(figures[service], target_of(targets, facility, service))
            for service in _ORDER
            if service in figures
        },
    }


def service_data(found: ServiceFigures, target: float | None) -> dict[str, Any]:
    """Return the figures of one service, with the availability that is promised."""
    return {
        "availability": _rounded(found.availability, 6),
        "target": target,
        "kept": None if target is None or found.availability is None else found.availability >= target,
        "up_seconds": _seconds(found.up_ms),
        "down_seconds": _seconds(found.down_ms),
        "unknown_seconds": _seconds(found.unknown_ms),
        "planned_seconds": _seconds(found.planned_ms),
        "sustained": sum(not each.momentary for each in found.outages),
        "momentary": sum(each.momentary for each in found.outages),
        "outages": [_outage(each) for each in found.outages],
    }


def _outage(outage: Outage) -> dict[str, Any]:
    return {
        "start": format_rfc3339(to_datetime(outage.span.from_ms)),
        "end": format_rfc3339(to_datetime(outage.span.to_ms)),
        "seconds": _seconds(outage.span.length_ms),
        "momentary": outage.momentary,
        "begun_before": outage.begun_before,
        "goes_on": outage.goes_on,
    }


def _seconds(duration_ms: int) -> float | int:
    seconds = duration_ms / SECOND_MS
    return int(seconds) if seconds.is_integer() else seconds


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each service of each facility, with the columns of the CSV form."""
    return [
        _row(facility, service, each)
        for facility in data["facilities"]
        for service, each in facility["services"].items()
    ]


def _row(facility: Mapping[str, Any], service: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        **figures,
        "facility": facility["id"],
        "name": facility["name"],
        "district": facility["district"],
        "service": service,
        "outages": sum(not outage["momentary"] for outage in figures["outages"]),
        "momentary": sum(outage["momentary"] for outage in figures["outages"]),
    }
    return {name: found.get(name) for name in _COLUMNS}


def as_csv(data: Mapping[str, Any]) -> str:
    """Return the rows as RFC 4180, safe to be opened by a program that takes ``=`` for a formula."""
    lines = ([plain_text(cell) if isinstance(cell, str) else cell for cell in row.values()] for row in rows(data))
    return csv_text([_COLUMNS, *lines])


_OUTAGE_COLUMNS: Final = (
    "facility", "name", "district", "service", "start", "end", "seconds", "momentary", "begun_before", "goes_on",
)  # fmt: skip


def outages_csv(data: Mapping[str, Any]) -> str:
    """Return a line of CSV for each outage."""
    lines: list[Sequence[object]] = [_OUTAGE_COLUMNS]
    for facility in data["facilities"]:
        names = [plain_text(facility[name]) for name in ("id", "name", "district")]
        for service, each in facility["services"].items():
            lines += [[*names, service, *(outage[name] for name in _OUTAGE_COLUMNS[4:])] for outage in each["outages"]]
    return csv_text(lines)


def as_json(data: Mapping[str, Any]) -> str:
    """Return it for programs."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_table(data: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Say it in lines of text."""
    say(f"From {data['from']} to {data['to']}, as of {data['as_of']}")
    head = ("facility", "service", "available", "up h", "down h", "unknown h", "planned h", "outages", "short")
    lines = [head]
    for row in rows(data):
        share = "unknown" if row["availability"] is None else f"{row['availability']:.3%}"
        hours = (f"{row[f'{name}_seconds'] / 3600:.2f}" for name in ("up", "down", "unknown", "planned"))
        lines.append((row["facility"], row["service"], share, *hours, str(row["outages"]), str(row["momentary"])))
    _say_table(lines, say)
    for service, found in data["indices"].items():
        caidi = "–" if found["caidi_minutes"] is None else f"{found['caidi_minutes']:.1f} min"
        say(
            f"{service}: {found['facilities']} facilities, SAIFI {found['saifi']:.2f}, "
            f"SAIDI {found['saidi_minutes']:.1f} min, CAIDI {caidi}, MAIFI {found['maifi']:.2f}"
        )


def _say_table(lines: Sequence[Sequence[str]], say: Callable[[str], None]) -> None:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        say("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is other than in an earlier report on the same period and place: which figures, before and now."""
    known = {(row["facility"], row["service"]): row for row in rows(before)}
    found: list[dict[str, Any]] = []
    for row in rows(now):
        names = {"facility": row["facility"], "service": row["service"]}
        old = known.pop((row["facility"], row["service"]), None)
        if old is None:
            found.append(names | {"what": "new", "figures": []})
        elif figures := [[name, old[name], row[name]] for name in _MEASURED if old[name] != row[name]]:
            found.append(names | {"what": "changed", "figures": figures})
    gone = ({"facility": facility, "service": service} for facility, service in known)
    return found + [each | {"what": "gone", "figures": []} for each in gone]


def changes(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return in sentences what is other."""
    said = {"new": "was not in it", "gone": "is not in it any more"}
    return [
        f"{each['facility']} {each['service']}: {said.get(each['what']) or _figures_changed(each)}" for each in found
    ]


def _figures_changed(each: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {before} → {after}" for name, before, after in each["figures"])
