"""Reading series for API and pages: which resolution, how much, and never more than a screen needs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from api.models import Point
from api.problems import RequestError
from api.services import Services
from api.translate import point_of_bucket, point_of_reading
from dashboards.pages.chart import Window
from dashboards.pages.series import MOST_POINTS, Bucket, Resolution, choose_resolution, from_readings
from domain.places import Channel
from domain.reading import Reading

_AT_ONCE = 4
"""How many series one page reads at the same time."""
_MOST_ROLLUPS = 20_000
"""What one query may touch: 54 years of days, 2 years of hours."""


class Points(NamedTuple):
    """What a query found."""

    resolution: Resolution
    points: list[Point]
    next_ms: int | None
    """Where to go on; None when all was answered."""


async def read_points(
    services: Services, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution | None, limit: int
) -> Points:
    """Return raw readings or roll-ups; resolution None takes the finest that stays within a screen's points."""
    if resolution is None:
        resolution, found = await _finest(services, channel, from_ms, to_ms, limit)
    else:
        found = await _read(services, channel, from_ms, to_ms, resolution, limit + 1)
    points = [point_of_reading(each) if isinstance(each, Reading) else point_of_bucket(each) for each in found]
    if len(points) <= limit:
        return Points(resolution, points, None)
    following = found[limit]
    next_ms = following.measured_at_ms if isinstance(following, Reading) else following.start_ms
    return Points(resolution, points[:limit], next_ms)


async def read_buckets(services: Services, channels: Sequence[Channel], window: Window) -> Mapping[str, list[Bucket]]:
    """Return the series of several channels, a few read at a time."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def read_one(channel: Channel) -> list[Bucket]:
        async with places:
            _, found = await _finest(services, channel, window.from_ms, window.to_ms, MOST_POINTS)
        return _buckets(found)

    series = await asyncio.gather(*(read_one(channel) for channel in channels))
    return {channel.id: buckets for channel, buckets in zip(channels, series, strict=True)}


async def _finest(
    services: Services, channel: Channel, from_ms: int, to_ms: int, limit: int
) -> tuple[Resolution, Sequence[Reading] | Sequence[Bucket]]:
    most = min(limit, MOST_POINTS)
    resolution = choose_resolution(channel.interval, to_ms - from_ms, most)
    found = await _read(services, channel, from_ms, to_ms, resolution, most + 1)
    if resolution is Resolution.RAW and len(found) > most:
        # More came than the interval promised.
        resolution = Resolution.HOUR if to_ms - from_ms <= most * Resolution.HOUR.step_ms else Resolution.DAY
        found = await _read(services, channel, from_ms, to_ms, resolution, most + 1)
    return resolution, found


async def _read(
    services: Services, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution, limit: int
) -> Sequence[Reading] | Sequence[Bucket]:
    if resolution is Resolution.RAW:
        return await services.series(channel.id, from_ms, to_ms, limit=limit)
    if to_ms - from_ms > _MOST_ROLLUPS * resolution.step_ms:
        raise RequestError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"from and to are more than {_MOST_ROLLUPS} {resolution.value}s apart; ask for a shorter time.",
        )
    return (await services.rollups(channel.id, from_ms, to_ms, resolution))[:limit]


def _buckets(found: Sequence[Reading] | Sequence[Bucket]) -> list[Bucket]:
    return from_readings(each for each in found if isinstance(each, Reading)) or [
        each for each in found if isinstance(each, Bucket)
    ]
