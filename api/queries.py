"""Reading series for API and pages: which resolution, how much, and never more than a screen needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple, TypeVar

from api.models import Point
from api.problems import RequestError
from api.services import Services
from api.translate import point_of_reading, point_of_rollup
from collector.journal.rollup import Rollup
from dashboards.pages.facility_equipment import Past
from dashboards.pages.series import MOST_POINTS, Bucket, Resolution, Window, from_readings, resolutions
from dashboards.pages.time_spent import TimeSpent
from domain.instant import SECOND_MS
from domain.kept import Kept
from domain.places import Channel
from domain.reading import Reading

_AT_ONCE = 4
"""How many series one page reads at the same time."""
_MOST_ROLLUPS = 20_000
"""What one query may touch: 54 years of days, 2 years of hours."""

Found = Sequence[Reading] | Sequence[Rollup]
Answer = TypeVar("Answer")


class Points(NamedTuple):
    """What a query found."""

    resolution: Resolution
    kept_from_ms: int
    """From when on this resolution is kept; 0 where nothing was deleted."""
    points: list[Point]
    next_ms: int | None
    """Where to go on; None when all was answered."""


async def read_points(
    services: Services, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution | None, limit: int
) -> Points:
    """Return raw readings or roll-ups; resolution None takes the finest that is kept and fits a screen."""
    kept = await services.kept(channel.id)
    if resolution is None:
        resolution, found = await _finest(services, channel, from_ms, to_ms, min(limit, MOST_POINTS), kept)
    else:
        found = await _read(services, channel, from_ms, to_ms, resolution, limit + 1)
    points = [
        point_of_reading(each) if isinstance(each, Reading) else point_of_rollup(each, resolution) for each in found
    ]
    next_ms = _moment_ms(found[limit]) if len(found) > limit else None
    return Points(resolution, _kept_from_ms(kept, resolution), points[:limit], next_ms)


async def read_buckets(services: Services, channels: Sequence[Channel], window: Window) -> Mapping[str, list[Bucket]]:
    """Return the series of several channels, a few read at a time."""

    async def read_one(channel: Channel) -> list[Bucket]:
        kept = await services.kept(channel.id)
        return _buckets(*await _finest(services, channel, window.from_ms, window.to_ms, MOST_POINTS, kept))

    return await _of_each(channels, read_one)


async def read_past(services: Services, channels: Sequence[Channel], window: Window) -> Past:
    """Return the series of several channels, and for how long each was below, within and above its limits."""

    async def read_one(channel: Channel) -> tuple[list[Bucket], TimeSpent | None]:
        kept = await services.kept(channel.id)
        resolution, found = await _finest(services, channel, window.from_ms, window.to_ms, MOST_POINTS, kept)
        limited = (channel.limits or channel.past_limits) and not channel.quantity.states
        spent = await _time_spent(services, channel, window, resolution, found) if limited else None
        return _buckets(resolution, found), spent

    answers = await _of_each(channels, read_one)
    return Past(
        window=window,
        series={channel: buckets for channel, (buckets, _) in answers.items()},
        spent={channel: spent for channel, (_, spent) in answers.items() if spent is not None},
    )


async def _time_spent(
    services: Services, channel: Channel, window: Window, resolution: Resolution, found: Found
) -> TimeSpent:
    """Return the sums over whole hours that are over, or days where the series came in days."""
    coarse = Resolution.DAY if resolution is Resolution.DAY else Resolution.HOUR
    begin_ms, end_ms = (moment_ms - moment_ms % coarse.step_ms for moment_ms in (window.from_ms, window.to_ms))
    # What the chart draws is not read twice.
    rollups = await services.rollups(channel.id, begin_ms, end_ms, coarse) if resolution is Resolution.RAW else found
    whole = [each for each in rollups if isinstance(each, Rollup) and begin_ms <= each.start_ms < end_ms]
    span = (end_ms - begin_ms) / SECOND_MS
    if not whole:
        return TimeSpent(span, 0, 0, 0, 0)
    # Column by column: a page of charts adds up thousands.
    *_, covered, below, above, judged = zip(*whole, strict=True)
    return TimeSpent(span, sum(covered), sum(judged), sum(below), sum(above))


async def _of_each(channels: Sequence[Channel], read_one: Callable[[Channel], Awaitable[Answer]]) -> dict[str, Answer]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(channel: Channel) -> Answer:
        async with places:
            return await read_one(channel)

    answers = await asyncio.gather(*map(in_turn, channels))
    return {channel.id: answer for channel, answer in zip(channels, answers, strict=True)}


async def _finest(
    services: Services, channel: Channel, from_ms: int, to_ms: int, most: int, kept: Kept
) -> tuple[Resolution, Found]:
    *fitting, last = resolutions(channel.interval, from_ms, to_ms, most, kept)
    for resolution in fitting:
        found = await _read(services, channel, from_ms, to_ms, resolution, most + 1)
        if len(found) <= most:
            return resolution, found
    return last, await _read(services, channel, from_ms, to_ms, last, most + 1)


async def _read(
    services: Services, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution, limit: int
) -> Found:
    if resolution is Resolution.RAW:
        return await services.series(channel.id, from_ms, to_ms, limit=limit)
    if to_ms - from_ms > _MOST_ROLLUPS * resolution.step_ms:
        raise RequestError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"from and to are more than {_MOST_ROLLUPS} {resolution.value}s apart; ask for a shorter time.",
        )
    return (await services.rollups(channel.id, from_ms, to_ms, resolution))[:limit]


def _buckets(resolution: Resolution, found: Found) -> list[Bucket]:
    """Return what charts draw: stretches with readings of their own."""
    if resolution is Resolution.RAW:
        return from_readings(each for each in found if isinstance(each, Reading))
    make, step_ms = Bucket._make, resolution.step_ms
    rollups = (each for each in found if isinstance(each, Rollup))
    return [
        make((start_ms, start_ms + step_ms, lowest, mean, highest, readings, round(covered * SECOND_MS)))
        for start_ms, mean, lowest, highest, readings, covered, *_ in rollups
        if readings
    ]


def _moment_ms(found: Reading | Rollup) -> int:
    return found.measured_at_ms if isinstance(found, Reading) else found.start_ms


def _kept_from_ms(kept: Kept, resolution: Resolution) -> int:
    return {Resolution.RAW: kept.raw_from_ms, Resolution.HOUR: kept.hours_from_ms, Resolution.DAY: 0}[resolution]
