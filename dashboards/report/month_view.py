"""The report on a month, of one facility or of a place, as pages and paper show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dashboards.pages.names import QUANTITY_NAMES
from dashboards.pages.time_spent import percent
from dashboards.pages.wording import number_text
from dashboards.pages.words import Words
from dashboards.report.cold_lines import (
    ApplianceLine,
    ExcursionLine,
    appliance_line,
    excursion_lines,
    outside_seconds,
    shares,
)
from dashboards.report.cut import (
    MOST_APPLIANCES,
    MOST_EXCURSIONS,
    MOST_FACILITIES,
    MOST_OUTAGES,
    warmest_first,
    without_cold_chain,
)
from dashboards.report.lines import (
    Data,
    Heading,
    OutageLine,
    ServiceLine,
    clock_text,
    heading,
    left_out_text,
    length_text,
    outage_count,
    outage_lines,
    service_line,
    share_text,
)
from domain.instant import parse_rfc3339, to_ms
from domain.places import Service


@dataclass(frozen=True, slots=True)
class GeneratorLine:
    """What one generator did."""

    name: str
    facility: str
    runs: int
    running: str
    known: str


@dataclass(frozen=True, slots=True)
class HeardLine:
    """How much of one channel is known."""

    name: str
    readings: str
    known: str
    late: str


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """How one facility of a place did."""

    id: str
    name: str
    cells: tuple[str, ...]
    """In range, too cold, too hot, excursions, power, water, known, alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthView:
    """What is said of a month."""

    head: Heading
    version: str
    facility: bool
    """Whether it is of one facility; of a place it has a line for each instead of its services and channels."""
    facilities: tuple[PlaceLine, ...]
    facilities_left_out: str
    appliances: tuple[ApplianceLine, ...]
    appliances_left_out: str
    excursions: tuple[ExcursionLine, ...]
    excursions_left_out: str
    services: tuple[ServiceLine, ...]
    outages: tuple[OutageLine, ...]
    outages_left_out: str
    generators: tuple[GeneratorLine, ...]
    """Those that ran longest."""
    generators_left_out: str
    channels: tuple[HeardLine, ...]
    alerts: tuple[tuple[str, str], ...]


def month_view(data: Data, words: Words) -> MonthView:
    """Return what a report says."""
    facilities, as_of, whole = data["facilities"], parse_rfc3339(data["as_of"]), period_seconds(data)
    now_ms, only = to_ms(as_of), facilities[0] if len(facilities) == 1 else None
    appliances = sorted(
        ((facility, each) for facility in facilities for each in facility["appliances"]),
        key=lambda pair: -outside_seconds(pair[1]),
    )
    excursions = excursion_lines(facilities, now_ms, words)
    without_cold = without_cold_chain(facilities)
    outages = outage_lines(without_cold, as_of, words)
    ranked = warmest_first(facilities)
    beyond = max(len(ranked) - MOST_FACILITIES, 0) + data.get("left_out", 0)
    return MonthView(
        head=heading(data, words),
        version=data["version"],
        facility=only is not None,
        facilities=() if only else tuple(_place_line(each, whole, words) for each in ranked[:MOST_FACILITIES]),
        facilities_left_out="" if only else left_out_text(beyond, 0, words),
        appliances=tuple(appliance_line(*pair, now_ms, words) for pair in appliances[:MOST_APPLIANCES]),
        appliances_left_out=left_out_text(len(appliances), MOST_APPLIANCES, words),
        excursions=tuple(excursions[:MOST_EXCURSIONS]),
        excursions_left_out=left_out_text(
            sum(each["excursion_count"] for _, each in appliances), MOST_EXCURSIONS, words
        ),
        services=tuple(service_line(Service(name), each, words) for name, each in only["services"].items())
        if only
        else (),
        outages=tuple(outages[:MOST_OUTAGES]),
        outages_left_out=left_out_text(outage_count(without_cold), MOST_OUTAGES, words),
        generators=tuple(_generators(facilities)),
        generators_left_out=left_out_text(sum(len(each["generators"]) for each in facilities), MOST_APPLIANCES, words),
        channels=tuple(_heard(each, whole, words) for each in only["channels"]) if only else (),
        alerts=_alerts(data["alerts"], words),
    )


def period_seconds(data: Data) -> float:
    """Return how much of the period is over as of the report."""
    start, end, as_of = (parse_rfc3339(data[name]) for name in ("from", "to", "as_of"))
    return (min(end, as_of) - start).total_seconds()


def _generators(facilities: Iterable[Data]) -> Iterable[GeneratorLine]:
    found = [(each, facility["name"]) for facility in facilities for each in facility["generators"]]
    found.sort(key=lambda one: -one[0]["running_seconds"])
    for each, facility in found[:MOST_APPLIANCES]:
        times = (clock_text(each[f"{name}_seconds"]) for name in ("running", "known"))
        yield GeneratorLine(each["name"], facility, each["runs"], *times)


def _heard(found: Data, whole: float, words: Words) -> HeardLine:
    quantity = words(QUANTITY_NAMES[found["quantity"]])
    return HeardLine(
        name=words("{facility}, {service}", facility=found["equipment"], service=quantity),
        readings=number_text(found["readings"], words=words),
        known=percent(found["known_seconds"], whole, words),
        late=number_text(found["late"], words=words),
    )


def _place_line(facility: Data, whole: float, words: Words) -> PlaceLine:
    channels, services = facility["channels"], facility["services"]
    excursions = sum(each["excursion_count"] for each in facility["appliances"])
    known = sum(each["known_seconds"] for each in channels)
    return PlaceLine(
        facility["id"],
        facility["name"],
        (
            *shares(facility["appliances"], words),
            number_text(excursions, words=words),
            _available(services.get("power"), words),
            _available(services.get("water"), words),
            percent(known, whole * len(channels), words) if channels else words("not measured"),
            number_text(facility["alerts"]["raised"], words=words),
        ),
    )


def _available(service: Data | None, words: Words) -> str:
    if service is None:
        return words("not measured")
    return words("unknown") if service["availability"] is None else share_text(service["availability"], words)


def _alerts(found: Data, words: Words) -> tuple[tuple[str, str], ...]:
    def count(name: str) -> str:
        return number_text(found[name], words=words)

    def took(name: str) -> str:
        half, most = (length_text(found[f"{name}_{which}_seconds"], words) for which in ("median", "nine_of_ten"))
        return words("half within {half}, nine of ten within {most}", half=half, most=most)

    lines: list[tuple[str, Any]] = [
        (words("Alerts"), count("raised")),
        (words("Told at once"), count("told")),
        (words("Nobody has answered"), count("unanswered")),
        (words("Asked the next people"), count("escalated")),
        (words("Until somebody took it"), took("answer") if found["answered"] else "–"),
        (words("Until all was well again"), took("restore") if found["restored"] else "–"),
        (words("Goes on"), count("ongoing")),
        (words("Vaccine doses affected"), count("doses_affected")),
    ]
    return tuple(lines)
