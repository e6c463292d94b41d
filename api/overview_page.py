"""The overview over HTTP: what was asked for, and how the facilities of one page were through the last day."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.facilities import all_statuses, said
from api.page_parts import page
from api.services import Services
from api.visit import Viewing
from dashboards.pages.day_bar import Hours, first_hour_ms, past_hours, question_of
from dashboards.pages.overview import Listing, overview
from dashboards.pages.overview_query import OverviewQuery, places_of
from dashboards.pages.render import Pages
from dashboards.pages.search import index_of
from dashboards.pages.status import FacilityStatus
from domain.alert import Alert
from domain.directory import Directory
from domain.instant import MINUTE_MS
from domain.place_hour import PlaceHour

PlaceName = Annotated[str, Query(max_length=300)]
Search = Annotated[str, Query(alias="q", max_length=100, description="Words of a name, place, node or serial number")]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Part = Annotated[str, Query(max_length=10, description="`live` answers only what an open page replaces")]

KEPT_MS: Final = MINUTE_MS
"""So long the past hours of a facility are shown as they were found; the running one is always of now."""
_MOST_KEPT: Final = 2_000
_MOST_ALERTS: Final = 300


def add_overview(router: APIRouter, pages: Pages) -> None:
    """Add the first page."""
    days = Days()

    @router.get("/")
    async def show_overview(
        visit: Viewing,
        region: PlaceName = "",
        district: PlaceName = "",
        search: Search = "",
        number: PageNumber = 1,
        part: Part = "",
    ) -> Response:
        services, directory = visit.services, visit.services.directory()
        query = OverviewQuery(region, district, search.strip(), number)
        statuses = all_statuses(services, directory)
        # Made in a thread: for a nation it takes as long as a hundred pages.
        index = await asyncio.to_thread(index_of, directory) if query.search else None
        chosen = query.chosen(statuses, index)
        shown = said(services, directory, query.shown(chosen), visit.words)
        listing = Listing(places_of(directory), chosen, shown, await days.of(services, directory, shown))
        view = overview(listing, query, services.clock.now_ms(), visit.words)
        return await page(visit, pages, "overview.html", view, live=part == "live")


class _Found(NamedTuple):
    at_ms: int
    hours: Hours


class Days:
    """How facilities were hour by hour; what was found is kept for a moment, for everybody who looks at the list."""

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}

    async def of(
        self, services: Services, directory: Directory, statuses: Sequence[FacilityStatus]
    ) -> Mapping[str, Hours]:
        """Return the last day of these facilities."""
        now_ms = services.clock.now_ms()
        wanted = [each.facility.id for each in statuses]
        missing = [facility for facility in wanted if not self._holds(facility, now_ms)]
        if missing:
            if len(self._found) > _MOST_KEPT:
                self._found.clear()
            found = await _read(services, directory, missing, now_ms)
            self._found |= {facility: _Found(now_ms, hours) for facility, hours in found.items()}
        return {facility: self._found[facility].hours for facility in wanted}

    def _holds(self, facility: str, now_ms: int) -> bool:
        found = self._found.get(facility)
        return (
            found is not None
            and 0 <= now_ms - found.at_ms < KEPT_MS
            and first_hour_ms(found.at_ms) == first_hour_ms(now_ms)
        )


async def _read(
    services: Services, directory: Directory, facilities: Sequence[str], now_ms: int
) -> Mapping[str, Hours]:
    questions = {facility: question_of(directory, facility) for facility in facilities}
    hours: dict[str, list[PlaceHour]] = {}
    for hour in await services.hours(questions, first_hour_ms(now_ms), now_ms):
        hours.setdefault(hour.place, []).append(hour)
    alerts: dict[str, list[Alert]] = {}
    within = frozenset(facilities)
    for alert in await services.alerts(open_only=False, facility=None, limit=_MOST_ALERTS, within=within):
        alerts.setdefault(alert.facility, []).append(alert)
    return {
        facility: past_hours(hours.get(facility, ()), alerts.get(facility, ()), directory, now_ms)
        for facility in facilities
    }
