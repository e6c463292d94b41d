"""The overview: one sentence, then every facility, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.pages.status import FacilityStatus, ServiceStatus, Status
from dashboards.pages.wording import LocalTime, ago_text, local_time
from dashboards.pages.words import ENGLISH, Words
from domain.instant import to_datetime

MOST_REASONS = 3
MOST_FACILITIES = 300
"""More than this is a list nobody reads on a phone, and a page that weighs too much."""


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """One facility in the list."""

    id: str
    name: str
    place: str
    overall: Status
    services: tuple[ServiceStatus, ...]
    reasons: tuple[str, ...]
    heard: str
    heard_at: LocalTime | None
    open_alerts: int
    waiting: str
    """Since when the oldest alert has been open: ``3 h ago``; empty without one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page says."""

    sentence: str
    details: tuple[str, ...]
    worst: Status
    rows: tuple[FacilityRow, ...]
    left_out: int
    """How many facilities (the best of them) the list does not show."""
    updated: LocalTime


def overview(statuses: Sequence[FacilityStatus], now_ms: int, words: Words = ENGLISH) -> Overview:
    """Return the overview of facilities that come sorted worst first."""
    totals = Counter(status.overall for status in statuses)
    return Overview(
        sentence=headline(totals, len(statuses), words),
        details=_details(totals, words),
        worst=statuses[0].overall if statuses else Status.NOT_MONITORED,
        rows=tuple(_row(status, now_ms, words) for status in statuses[:MOST_FACILITIES]),
        left_out=max(len(statuses) - MOST_FACILITIES, 0),
        updated=local_time(to_datetime(now_ms), "UTC", now_ms, words),
    )


def headline(totals: Counter[Status], facilities: int, words: Words = ENGLISH) -> str:
    """Return the sentence that says it all: ``3 of 12 facilities need help``."""
    if not facilities:
        return words("No facility is registered yet")
    helpless, attention = totals[Status.CRITICAL], totals[Status.WARNING]
    if helpless:
        return words.many(
            "{count} of {facilities} facilities needs help",
            "{count} of {facilities} facilities need help",
            helpless,
            facilities=facilities,
        )
    if totals[Status.OK] == facilities:
        return words.many("The facility is well", "All {count} facilities are well", facilities)
    if attention:
        return words.many(
            "{count} of {facilities} facilities needs attention",
            "{count} of {facilities} facilities need attention",
            attention,
            facilities=facilities,
        )
    return words.many(
        "None of {count} facilities needs help now", "None of {count} facilities needs help now", facilities
    )


def _details(totals: Counter[Status], words: Words) -> tuple[str, ...]:
    silent, attention, well = totals[Status.SILENT], totals[Status.WARNING], totals[Status.OK]
    found = []
    if silent:
        found.append(words.many("{count} silent", "{count} silent", silent))
    if attention and totals[Status.CRITICAL]:
        found.append(words.many("{count} needs attention", "{count} need attention", attention))
    if well and (silent or attention or totals[Status.CRITICAL]):
        found.append(words.many("{count} OK", "{count} OK", well))
    return tuple(found)


def _row(status: FacilityStatus, now_ms: int, words: Words) -> FacilityRow:
    facility, heard_ms = status.facility, status.last_heard_ms
    return FacilityRow(
        id=facility.id,
        name=facility.name,
        place=" · ".join(part for part in (facility.district, facility.region) if part),
        overall=status.overall,
        services=status.services,
        reasons=status.reasons[:MOST_REASONS],
        heard=ago_text(heard_ms, now_ms, words),
        heard_at=None if heard_ms is None else local_time(heard_ms, facility.timezone, now_ms, words),
        open_alerts=status.open_alerts,
        waiting="" if status.waiting_since_ms is None else ago_text(status.waiting_since_ms, now_ms, words),
    )
