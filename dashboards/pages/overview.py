"""The overview: one sentence, then every facility, worst first."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.pages.day_bar import DayBar, Hours, day_bar
from dashboards.pages.overview_query import PAGE, Choice, OverviewQuery, TroubledPlace, districts_in, regions_in
from dashboards.pages.status import FacilityStatus, ServiceStatus, Status
from dashboards.pages.wording import LocalTime, ago_text, local_time
from dashboards.pages.words import Words
from domain.instant import to_datetime

MOST_REASONS = 3
SLOW_FROM = 500


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
    day: DayBar | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page says."""

    sentence: str
    details: tuple[str, ...]
    worst: Status
    rows: tuple[FacilityRow, ...]
    updated: LocalTime
    slow: bool
    """Whether an open page is not to follow every change: of so many facilities one changes all the time."""
    query: OverviewQuery
    regions: tuple[Choice, ...]
    districts: tuple[Choice, ...]
    troubled: tuple[TroubledPlace, ...]
    span: str
    """Which part of the list this is: ``51 to 100 of 214``; empty where it is all."""
    better: str
    """Where the next of the list are; empty on the last page."""
    worse: str
    """Where those before are; empty on the first page."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found for a query."""

    places: Mapping[tuple[str, str], int]
    """How many facilities there are in each region and district."""
    chosen: Sequence[FacilityStatus]
    """Those that the query asks for, worst first."""
    shown: Sequence[FacilityStatus]
    """Those on this page, with reasons that the reader understands."""
    days: Mapping[str, Hours]
    """How those that are shown were, hour by hour, by facility."""


def overview(listing: Listing, query: OverviewQuery, now_ms: int, words: Words) -> Overview:
    """Return the overview of what was found."""
    chosen, page = listing.chosen, query.page
    totals = totals_of(chosen)
    first = (page - 1) * PAGE
    return Overview(
        sentence=_sentence(query, totals, len(chosen), words),
        details=_details(totals, words),
        worst=chosen[0].overall if chosen else Status.NOT_MONITORED,
        rows=tuple(_row(status, listing.days.get(status.facility.id), now_ms, words) for status in listing.shown),
        updated=local_time(to_datetime(now_ms), "UTC", now_ms, words),
        slow=len(chosen) > SLOW_FROM,
        query=query,
        regions=regions_in(listing.places),
        districts=districts_in(listing.places, query.region),
        troubled=query.troubled(chosen),
        span=_span(first, len(listing.shown), len(chosen), words),
        better=query.on(page + 1).address if page * PAGE < len(chosen) else "",
        worse=query.on(page - 1).address if page > 1 else "",
    )


def totals_of(worst_first: Sequence[FacilityStatus]) -> Counter[Status]:
    """Return how many facilities of a sorted list have each status, without going through all of them."""
    ends = [bisect_right(worst_first, status.rank, key=lambda each: each.overall.rank) for status in Status]
    return Counter({status: end - begin for status, begin, end in zip(Status, [0, *ends], ends, strict=False)})


def _sentence(query: OverviewQuery, totals: Counter[Status], facilities: int, words: Words) -> str:
    if query.narrowed and not facilities:
        return words("No facility was found")
    return headline(totals, facilities, words)


def _span(first: int, shown: int, of: int, words: Words) -> str:
    if shown == of:
        return ""
    return words("{first} to {last} of {count}, the worst first", first=first + 1, last=first + shown, count=of)


def headline(totals: Counter[Status], facilities: int, words: Words) -> str:
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


def _row(status: FacilityStatus, hours: Hours | None, now_ms: int, words: Words) -> FacilityRow:
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
        day=None if hours is None else day_bar(hours, status, words),
    )
