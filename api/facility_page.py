"""The page of one facility over HTTP, what its charts draw, and its readings as files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from api.channels import ChannelId
from api.download import channel_and_facility, download
from api.facilities import FacilityId, facility_of, one_status
from api.page_parts import REVALIDATE, page, scene_of
from api.queries import read_buckets, read_past
from api.services import Services
from api.visit import Viewing, Visit
from dashboards.pages.facility import Records, facility_page
from dashboards.pages.facility_past import TitledEpisode, happenings_of, those_about
from dashboards.pages.plot import plot_columns, plot_frame
from dashboards.pages.render import Pages
from dashboards.pages.series import DEFAULT_RANGE, RANGES, Window
from domain.alert import Alert, AlertState
from domain.episode import Episode
from domain.instant import to_datetime
from domain.places import Facility
from domain.upkeep import Visit as VisitEntry

_EPISODES_READ = 5000
_ALERTS_READ = 5000
_VISITS_READ = 200

RangeKey = Annotated[str, Query(alias="range", max_length=10, description="24h, 7d, 30d or year")]
Part = Annotated[str, Query(max_length=10, description="`live` answers only what an open page replaces")]


def add_facility_page(router: APIRouter, pages: Pages) -> None:
    """Add the page of a facility and the columns of its charts."""

    @router.get("/facilities/{facility:path}")
    async def show_facility(
        visit: Viewing, facility: FacilityId, range_key: RangeKey = DEFAULT_RANGE.key, part: Part = ""
    ) -> Response:
        scene, live = scene_of(visit.services, visit.words), part == "live"
        status, open_alerts = await one_status(visit.services, scene.directory, facility, visit.words)
        window = _window(status.facility, range_key, scene.now_ms)
        past = None if live else await read_past(visit.services, scene.directory.channels_of(facility), window)
        records = Records(
            open_alerts, await _episodes(visit, facility, window), await _visits(visit.services, facility, window)
        )
        view = facility_page(status, records, past, scene, window)
        return await page(visit, pages, "facility.html", view, live=live)

    @router.get("/charts/{facility:path}")
    async def chart_data(visit: Viewing, facility: FacilityId, range_key: RangeKey = DEFAULT_RANGE.key) -> Response:
        scene = scene_of(visit.services, visit.words)
        found = facility_of(scene.directory, facility)
        window = _window(found, range_key, scene.now_ms)
        channels = [each for each in scene.directory.channels_of(facility) if not each.quantity.states]
        series = await read_buckets(visit.services, channels, window)
        happenings = happenings_of(await _episodes(visit, facility, window), (), found, scene)
        charts = [
            plot_columns(
                each, series[each.id], window, those_about(happenings, each.equipment, each.id), words=visit.words
            )
            for each in channels
        ]
        return JSONResponse(plot_frame(window, visit.words) | {"charts": charts}, headers=REVALIDATE)


def add_downloads(router: APIRouter) -> None:
    """Add the files of readings that a person loads from a page."""

    @router.get("/csv/channels/{channel:path}")
    async def channel_file(visit: Viewing, channel: ChannelId, range_key: RangeKey = DEFAULT_RANGE.key) -> Response:
        found, facility = channel_and_facility(visit.services, channel)
        span = _window(facility, range_key, visit.services.clock.now_ms())[:2]
        return await download(visit.services, facility, found, span, for_spreadsheets=True)

    @router.get("/csv/facilities/{facility:path}")
    async def facility_file(visit: Viewing, facility: FacilityId, range_key: RangeKey = DEFAULT_RANGE.key) -> Response:
        found = facility_of(visit.services.directory(), facility)
        span = _window(found, range_key, visit.services.clock.now_ms())[:2]
        return await download(visit.services, found, None, span, for_spreadsheets=True)


async def _episodes(visit: Visit, facility: str, window: Window) -> list[TitledEpisode]:
    """Return the episodes of a window with what they are called, and the alerts where more is told of them."""
    from_, to = to_datetime(window.from_ms), to_datetime(window.to_ms)
    found = await visit.services.episodes(facility=facility, from_=from_, to=to, limit=_EPISODES_READ)
    if not found:
        return []
    alerts = await visit.services.alerts(open_only=False, facility=facility, limit=_ALERTS_READ)
    numbers = {each.episode: each.id for each in alerts}
    return [
        TitledEpisode(each, visit.services.describe(_as_alert(each), visit.words).title, numbers.get(each.id))
        for each in found
    ]


async def _visits(services: Services, facility: str, window: Window) -> Sequence[VisitEntry]:
    """Return the newest visits, also those before the window: one of them was the last."""
    return await services.visits(facility, to_datetime(0), to_datetime(window.to_ms), limit=_VISITS_READ)


def _window(facility: Facility, range_key: str, now_ms: int) -> Window:
    chosen = RANGES.get(range_key, DEFAULT_RANGE)
    return Window(now_ms - round(chosen.span.total_seconds() * 1000), now_ms, facility.timezone, chosen)


def _as_alert(episode: Episode) -> Alert:
    """Rules have words for alerts; an episode that raised none has the same words."""
    return Alert(
        id=0, episode=episode.id, rule=episode.rule, severity=episode.severity, state=AlertState.NORMAL,
        subject_kind=episode.subject_kind, subject=episode.subject, facility=episode.facility,
        started_at=episode.started_at, raised_at=episode.confirmed_at, ended_at=episode.ended_at,
        extreme=episode.extreme,
    )  # fmt: skip
