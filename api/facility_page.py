"""The page of one facility over HTTP, and what its charts draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from api.channels import ChannelId
from api.download import channel_and_facility, download
from api.facilities import FacilityId, facility_of, one_status
from api.page_parts import REVALIDATE, page, scene_of
from api.queries import read_buckets, read_time_spent
from api.services import Services
from api.visit import Viewing
from dashboards.pages.chart import Window, plot_columns
from dashboards.pages.facility import Past, facility_page
from dashboards.pages.render import Pages
from dashboards.pages.series import DEFAULT_RANGE, RANGES
from domain.alert import Alert, AlertState
from domain.episode import Episode
from domain.instant import to_datetime
from domain.places import Channel, Facility

_EPISODES_READ = 1000

RangeKey = Annotated[str, Query(alias="range", max_length=10, description="24h, 7d or 30d")]
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
        channels = scene.directory.channels_of(facility)
        past = None if live else await _past(visit.services, channels, window)
        episodes = await visit.services.episodes(
            facility=facility,
            from_=to_datetime(window.from_ms),
            to=to_datetime(window.to_ms),
            limit=_EPISODES_READ,
        )
        titled = [(each, visit.services.describe(_as_alert(each), visit.words).title) for each in reversed(episodes)]
        view = facility_page(status, open_alerts, titled, past, scene, window)
        return await page(visit, pages, "facility.html", view, live=live)

    @router.get("/charts/{facility:path}")
    async def chart_data(visit: Viewing, facility: FacilityId, range_key: RangeKey = DEFAULT_RANGE.key) -> Response:
        directory = visit.services.directory()
        found = facility_of(directory, facility)
        window = _window(found, range_key, visit.services.clock.now_ms())
        channels = [each for each in directory.channels_of(facility) if not each.quantity.states]
        series = await read_buckets(visit.services, channels, window)
        body = {
            "zone": found.timezone,
            "from": window.from_ms // 1000,
            "to": window.to_ms // 1000,
            "charts": [plot_columns(channel, series[channel.id], window) for channel in channels],
        }
        return JSONResponse(body, headers=REVALIDATE)


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


async def _past(services: Services, channels: Sequence[Channel], window: Window) -> Past:
    limited = [each for each in channels if each.limits and not each.quantity.states]
    return Past(
        series=await read_buckets(services, channels, window), spent=await read_time_spent(services, limited, window)
    )


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
