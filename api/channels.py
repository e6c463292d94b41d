"""Channels and their readings over HTTP."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BeforeValidator

from api.download import CSV, channel_and_facility, download
from api.models import ChannelDetail, ChannelList, ReadingList
from api.problems import NotFoundError, RequestError, parse_moment
from api.queries import read_points
from api.services import Services
from api.translate import Translator
from api.visit import Viewing
from dashboards.pages.series import MOST_POINTS, Resolution
from domain.instant import DAY_MS, to_datetime, to_ms
from domain.places import Channel

ChannelId = Annotated[str, Path(max_length=600, description="Id of the channel: `facility/equipment/quantity`")]
QueryMoment = Annotated[datetime | None, BeforeValidator(parse_moment)]


class Wanted(StrEnum):
    """The resolution to answer in."""

    AUTO = "auto"
    RAW = "raw"
    HOUR = "hour"
    DAY = "day"

    @property
    def exact(self) -> Resolution | None:
        """Return the resolution that is asked for; None where any will do."""
        return None if self is Wanted.AUTO else Resolution(self.value)


def wants_csv(request: Request) -> bool:
    """Tell whether whoever asks names CSV before JSON among what is accepted."""
    accepted = [each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")]
    known = [each for each in accepted if each in (CSV, "application/json")]
    return known[:1] == [CSV]


def channel_routes() -> APIRouter:
    """Return the routes under ``/channels``; the more special address stands first, ids may hold slashes."""
    router = APIRouter(prefix="/channels", tags=["channels"])
    _add_readings(router)

    @router.get("", summary="Channels", responses={404: {"description": "Unknown facility"}})
    async def list_channels(
        visit: Viewing,
        facility: Annotated[str | None, Query(max_length=300)] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> ChannelList:
        """Return what is measured, with the newest values."""
        directory = visit.services.directory()
        if facility is not None and facility not in directory.facilities:
            raise NotFoundError("facility", facility)
        found = list(directory.channels.values()) if facility is None else directory.channels_of(facility)
        translator = Translator(visit.services, directory)
        return ChannelList(
            total=len(found), channels=[translator.channel(channel) for channel in found[offset : offset + limit]]
        )

    @router.get("/{channel:path}", summary="One channel", responses={404: {"description": "Unknown channel"}})
    async def get_channel(visit: Viewing, channel: ChannelId) -> ChannelDetail:
        """Return one channel with its newest value."""
        return Translator(visit.services, visit.services.directory()).channel(_find(visit.services, channel))

    return router


def _add_readings(router: APIRouter) -> None:
    @router.get(
        "/{channel:path}/readings",
        summary="Readings of one channel",
        response_model=ReadingList,
        responses={
            200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "JSON; CSV where it is accepted"},
            404: {"description": "Unknown channel"},
        },
    )
    async def get_readings(
        visit: Viewing,
        request: Request,
        channel: ChannelId,
        from_: Annotated[QueryMoment, Query(alias="from", description="Inclusive; a day before `to`")] = None,
        to: Annotated[QueryMoment, Query(description="Exclusive; now")] = None,
        resolution: Annotated[
            Wanted, Query(description=f"`auto` takes the finest that stays within {MOST_POINTS} points")
        ] = Wanted.AUTO,
        limit: Annotated[int, Query(ge=1, le=10_000)] = MOST_POINTS,
    ) -> ReadingList | Response:
        """Return raw readings or roll-ups; minimum and maximum are always kept, gaps have no points.

        With `Accept: text/csv` all of them come as a file, whatever the limit.
        """
        found = _find(visit.services, channel)
        from_ms, to_ms = span_of(visit.services, from_, to)
        exact = resolution.exact
        if wants_csv(request):
            _, facility = channel_and_facility(visit.services, channel)
            return await download(visit.services, facility, found, (from_ms, to_ms), exact)
        answer = await read_points(visit.services, found, from_ms, to_ms, exact, limit)
        return ReadingList(
            channel=found.id,
            quantity=found.quantity.name,
            unit=found.quantity.unit.name,
            from_=to_datetime(from_ms),
            to=to_datetime(to_ms),
            resolution=answer.resolution,
            kept_from=None if not answer.kept_from_ms else to_datetime(answer.kept_from_ms),
            points=answer.points,
            next=None if answer.next_ms is None else to_datetime(answer.next_ms),
        )


def _find(services: Services, channel_id: str) -> Channel:
    channel = services.directory().channels.get(channel_id)
    if channel is None:
        raise NotFoundError("channel", channel_id)
    return channel


def span_of(services: Services, from_: datetime | None, to: datetime | None) -> tuple[int, int]:
    """Return the milliseconds of [from, to), by default the last day; raise ``RequestError`` for an empty one."""
    to_moment_ms = to_ms(to) if to else services.clock.now_ms() + 1
    from_moment_ms = to_ms(from_) if from_ else max(to_moment_ms - DAY_MS, 0)
    if from_moment_ms >= to_moment_ms:
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "from must be before to.")
    return from_moment_ms, to_moment_ms
