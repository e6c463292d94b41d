"""The page of a place: a nation, a region or a district, with the same things said of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dashboards.figures.alerting import Age
from dashboards.figures.places import Level, Part
from dashboards.figures.survey import Answers, Survey, Times
from dashboards.figures.visits import Appliance
from dashboards.pages.comparison import Figure, cold_figures, power_figure, water_figure
from dashboards.pages.place_links import (
    LEVEL_NAMES,
    NAMELESS,
    Link,
    address,
    columns,
    crumbs,
    facility_address,
    levels,
    place_title,
    stretches,
)
from dashboards.pages.report import report_links
from dashboards.pages.time_spent import percent
from dashboards.pages.wording import LocalTime, day_text, duration_text, kind_word, local_time, number_text
from dashboards.pages.words import Words, noop
from domain.instant import HOUR_MS

MOST_ROWS = 200
"""More than this is a table nobody reads on a phone; the file has all of them."""
_AGES: Final = {
    Age.UNDER_1_HOUR: noop("under 1 h"),
    Age.UNDER_4_HOURS: noop("under 4 h"),
    Age.UNDER_24_HOURS: noop("under 24 h"),
    Age.UNDER_3_DAYS: noop("under 3 d"),
    Age.OLDER: noop("older"),
}


@dataclass(frozen=True, slots=True)
class PartRow:
    """One row of the table of parts."""

    name: str
    address: str
    facilities: str
    """How many; empty for a single one."""
    cells: tuple[Figure, ...]
    """In range, too cold, too hot, power, water."""
    silent: str
    open_alerts: str


@dataclass(frozen=True, slots=True)
class ApplianceRow:
    """One of the worst appliances."""

    name: str
    model: str
    facility: str
    address: str
    """Of its facility's page."""
    outside: str
    observed: str
    too_cold: str
    too_hot: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """How fast something was done, now and in the stretch before."""

    what: str
    median: str
    p90: str
    number: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePage:
    """What the page of a place says."""

    title: str
    crumbs: tuple[Link, ...]
    summary: str
    period: str
    trouble: str
    """What is not there yet; empty where all is."""
    stretches: tuple[Link, ...]
    figures: tuple[Figure, ...]
    silent: str
    ages: tuple[tuple[str, int], ...]
    open_alerts: int
    answers: tuple[AnswerRow, ...]
    levels: tuple[Link, ...]
    columns: tuple[Link, ...]
    level_title: str
    parts: tuple[PartRow, ...]
    """None before anything is known."""
    left_out: str
    worst: tuple[ApplianceRow, ...]
    route: Link
    reports: tuple[Link, ...]
    """Where those on it are ordered."""
    files: Mapping[str, str]
    """Addresses of the tables as files."""
    computed: LocalTime | None


def place_page(found: Survey, answers: tuple[Answers, Answers] | None, words: Words) -> PlacePage:
    """Return the page of a survey."""
    shown = found.parts[:MOST_ROWS] if found.end_ms else ()
    left_out = len(found.parts[MOST_ROWS:])
    return PlacePage(
        title=place_title(found.where, words),
        crumbs=crumbs(found, words),
        summary=_summary(found, words),
        period=period_text(found, words),
        trouble=_trouble(found, words),
        stretches=stretches(found, words),
        figures=(
            *cold_figures(found.compared, words),
            power_figure(found.compared, words),
            water_figure(found.compared, words),
        ),
        silent=words(
            "{silent} of {all} silent now",
            silent=number_text(found.silent, words=words),
            all=number_text(len(found.facilities), words=words),
        ),
        ages=tuple((words(_AGES[age]), count) for age, count in found.alert_ages.items()),
        open_alerts=sum(found.alert_ages.values()),
        answers=_answers(answers, words),
        levels=levels(found, words),
        columns=columns(found, words),
        level_title=words(LEVEL_NAMES[found.level]),
        parts=tuple(_part_row(part, found, words) for part in shown),
        left_out=words.many(
            "{count} more is not listed here; the file has all.", "{count} more are not listed here; the file has all.",
            left_out,
        ) if left_out else "",
        worst=tuple(_appliance_row(each, words) for each in found.worst),
        route=Link(
            words.many("{count} facility to visit", "{count} facilities to visit", len(found.stops)),
            address(found, path="/places/route"),
        ),
        reports=report_links(found.where, words),
        files={name: address(found, path=f"/places/{name}.csv") for name in ("parts", "worst", "route")},
        computed=local_time(found.computed_ms, "UTC", found.now_ms, words) if found.end_ms else None,
    )  # fmt: skip


def days_text(found: Survey, words: Words) -> str:
    """Return which days are meant: ``30 days up to Thu 19 Nov (UTC)``."""
    if not found.end_ms:
        return words("No day has been counted yet.")
    days = words.many("{count} day", "{count} days", int(found.stretch))
    return words("{days} up to {last} (UTC)", days=days, last=day_text(found.end_ms - 1, words))


def period_text(found: Survey, words: Words) -> str:
    """Return which days are meant: ``30 days up to Thu 19 Nov (UTC), against the 30 days before``."""
    days = words.many("{count} day", "{count} days", int(found.stretch))
    said = days_text(found, words)
    return words("{said}, against the {days} before", said=said, days=days) if found.end_ms else said


def _summary(found: Survey, words: Words) -> str:
    facilities = words.many("{count} facility", "{count} facilities", len(found.facilities))
    appliances = words.many("{count} fridge or freezer", "{count} fridges and freezers", found.appliances)
    return f"{facilities} · {appliances}"


def _trouble(found: Survey, words: Words) -> str:
    if not found.missing:
        return ""
    return words.many(
        "The figures of {count} facility are still being worked out.",
        "The figures of {count} facilities are still being worked out.",
        found.missing,
    )


def _part_row(part: Part, found: Survey, words: Words) -> PartRow:
    is_facility = found.level is Level.FACILITY
    return PartRow(
        name=part.title or words(NAMELESS[found.level]),
        address=facility_address(part.names[-1]) if is_facility else address(found, where=part.names),
        facilities="" if is_facility else words.many("{count} facility", "{count} facilities", part.facilities),
        cells=(
            *cold_figures(part.compared, words),
            power_figure(part.compared, words),
            water_figure(part.compared, words),
        ),
        silent=_silent(part, is_facility, words),
        open_alerts=number_text(part.open_alerts, words=words),
    )


def _silent(part: Part, is_facility: bool, words: Words) -> str:
    if is_facility:
        return words("silent") if part.silent else words("is heard")
    return words("{part} of {whole}", part=part.silent, whole=part.facilities)


def _appliance_row(each: Appliance, words: Words) -> ApplianceRow:
    cold = each.cold
    return ApplianceRow(
        name=each.equipment.name,
        model=each.equipment.model or kind_word(each.equipment.kind, words),
        facility=each.facility.name,
        address=facility_address(each.facility.id),
        outside=percent(cold.outside_ms, cold.judged_ms, words),
        observed=percent(cold.judged_ms, cold.span_ms, words),
        too_cold=hours_text(cold.below_ms, words),
        too_hot=hours_text(cold.above_ms, words),
    )


def hours_text(duration_ms: int, words: Words) -> str:
    """Return a sum of time in hours: ``31.5 h``."""
    return words("{hours} h", hours=number_text(duration_ms / HOUR_MS, 1, words=words))


def _answers(answers: tuple[Answers, Answers] | None, words: Words) -> tuple[AnswerRow, ...]:
    if answers is None:
        return ()
    now, before = answers
    return (
        _answer_row(words("Until somebody took it"), now.acknowledge, before.acknowledge, words),
        _answer_row(words("Until all was well again"), now.restore, before.restore, words),
    )


def _answer_row(what: str, now: Times, before: Times, words: Words) -> AnswerRow:
    return AnswerRow(
        what=what,
        median=_length(now.median, words),
        p90=_length(now.p90, words),
        number=number_text(now.number, words=words),
        before=_length(before.median, words),
    )


def _length(duration: timedelta | None, words: Words) -> str:
    return words("not known") if duration is None else duration_text(round(duration.total_seconds() * 1000), words)
