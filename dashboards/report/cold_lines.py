"""How fridges did in a period, and their excursions, in lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.pages.time_spent import percent
from dashboards.pages.wording import LocalTime, local_time, number_text
from dashboards.pages.words import Words, noop
from dashboards.report.lines import Data, clock_text, remarks, share_text
from domain.instant import parse_rfc3339

_SIDES: Final = {"too_cold": noop("Too cold"), "too_hot": noop("Too hot")}
_TIMES: Final = ("in_range", "too_cold", "too_hot")


@dataclass(frozen=True, slots=True)
class ApplianceLine:
    """How one fridge did."""

    name: str
    model: str
    facility: str
    shares: tuple[str, ...]
    """In range, too cold and too hot, of the time known."""
    known: str
    lowest: str
    highest: str
    kinetic: str
    worst_day: str
    worst_until: LocalTime | None


@dataclass(frozen=True, slots=True)
class ExcursionLine:
    """A stretch in which one probe was outside of its limits."""

    where: str
    side: str
    start: LocalTime
    end: LocalTime
    lasted: str
    extreme: str
    limits: str
    remarks: str


def outside_seconds(appliance: Data) -> float:
    """Return how long an appliance was out of range."""
    return float(appliance["too_cold_seconds"] + appliance["too_hot_seconds"])


def shares(appliances: Sequence[Data], words: Words) -> tuple[str, ...]:
    """Return the shares in range, too cold and too hot, of the time known of all of them together."""
    sums = [sum(each[f"{name}_seconds"] for each in appliances) for name in _TIMES]
    known = sum(sums)
    return tuple(share_text(each / known, words) if known else words("unknown") for each in sums)


def appliance_line(facility: Data, found: Data, now_ms: int, words: Words) -> ApplianceLine:
    """Return how one did."""
    watched = sum(found[f"{name}_seconds"] for name in (*_TIMES, "unknown"))
    until = found["worst_day_until"]
    return ApplianceLine(
        name=found["name"],
        model=found["model"],
        facility=facility["name"],
        shares=shares([found], words),
        known=percent(watched - found["unknown_seconds"], watched, words) if watched else words("unknown"),
        lowest=_celsius(found["lowest_celsius"], words),
        highest=_celsius(found["highest_celsius"], words),
        kinetic=_celsius(found["mean_kinetic_celsius"], words),
        worst_day=_celsius(found["worst_day_mean_kinetic_celsius"], words),
        worst_until=None if until is None else local_time(parse_rfc3339(until), facility["timezone"], now_ms, words),
    )


def _celsius(value: float | None, words: Words) -> str:
    return "–" if value is None else words.isolated(f"{number_text(value, 1, words=words)} °C")


def excursion_lines(facilities: Sequence[Data], now_ms: int, words: Words) -> list[ExcursionLine]:
    """Return all of them, the longest first."""
    found = [
        (facility, appliance, each)
        for facility in facilities
        for appliance in facility["appliances"]
        for each in appliance["excursions"]
    ]
    found.sort(key=lambda one: (-one[2]["seconds"], one[2]["start"]))
    return [
        ExcursionLine(
            where=appliance["name"]
            if len(facilities) == 1
            else words("{facility}, {service}", facility=facility["name"], service=appliance["name"]),
            side=words(_SIDES[each["side"]]),
            start=local_time(parse_rfc3339(each["start"]), facility["timezone"], now_ms, words),
            end=local_time(parse_rfc3339(each["end"]), facility["timezone"], now_ms, words),
            lasted=clock_text(each["seconds"]),
            extreme=_celsius(each["extreme_celsius"], words),
            limits=_limits(each["low_celsius"], each["high_celsius"], words),
            remarks=remarks(each, words),
        )
        for facility, appliance, each in found
    ]


def _limits(low: float | None, high: float | None, words: Words) -> str:
    if low is None or high is None:
        return (
            words("from {low}", low=_celsius(low, words))
            if high is None
            else words("up to {high}", high=_celsius(high, words))
        )
    return words("{low} to {high}", low=number_text(low, 1, words=words), high=_celsius(high, words))
