"""Downloads of readings: the finest that is kept, read and sent in pieces, and never without an end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.responses import StreamingResponse

from api.problems import NotFoundError, RequestError
from api.readings_csv import Sheet, csv_text, plain_text
from api.services import Services
from collector.journal.rollup import Rollup
from dashboards.pages.series import Resolution
from domain.instant import DAY_MS, to_datetime
from domain.kept import Kept
from domain.places import Channel, Facility
from domain.reading import Reading

CSV: Final = "text/csv"


class Bounds(NamedTuple):
    """How large a file may become, and how it is read."""

    lines: int = 1_000_000
    """What a spreadsheet can open."""
    readings: int = 2_000
    """So many are in memory at a time."""
    hours_ms: int = 60 * DAY_MS
    """Roll-ups are read for so much time at once; whole days, so that no roll-up is in two parts."""
    days_ms: int = 1_000 * DAY_MS


BOUNDS: Final = Bounds()
_MARK = "\ufeff"
"""What makes a spreadsheet read UTF-8."""


async def download(
    services: Services,
    facility: Facility,
    channel: Channel | None,
    span: tuple[int, int],
    resolution: Resolution | None = None,
    *,
    for_spreadsheets: bool = False,
    bounds: Bounds = BOUNDS,
) -> StreamingResponse:
    """Return the readings of a channel, or of all of a facility (None), in [from, to) as CSV.

    Resolution None takes the finest that is kept of all of them and is not too much.
    """
    channels = services.directory().channels_of(facility.id) if channel is None else (channel,)
    kept = [await services.kept(each.id) for each in channels]
    chosen = resolution or finest(channels, kept, *span, bounds.lines)
    if expected_lines(channels, *span, chosen) > bounds.lines:
        sentence = f"These are more than {bounds.lines} lines; ask for a shorter time or for roll-ups."
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)
    sheet = Sheet(facility, chosen, channel)
    name = _file_name(facility.id if channel is None else channel.id, *span)
    return StreamingResponse(
        _pieces(services, sheet, channels, span, _MARK if for_spreadsheets else "", bounds),
        media_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def channel_and_facility(services: Services, channel_id: str) -> tuple[Channel, Facility]:
    """Return a channel and where it is; raise ``NotFoundError`` for one that is not registered, or not in sight."""
    directory = services.directory()
    channel = directory.channels.get(channel_id)
    if channel is None or channel.facility not in directory.facilities:
        raise NotFoundError("channel", channel_id)
    return channel, directory.facilities[channel.facility]


def finest(
    channels: Sequence[Channel], kept: Sequence[Kept], from_ms: int, to_ms: int, most: int = BOUNDS.lines
) -> Resolution:
    """Return the finest resolution in which all of these are kept from a moment on, and which is not too much."""
    found = {
        Resolution.RAW: all(each.raw_from_ms <= from_ms for each in kept),
        Resolution.HOUR: all(each.hours_from_ms <= from_ms for each in kept),
    }
    for resolution, is_kept in found.items():
        if is_kept and expected_lines(channels, from_ms, to_ms, resolution) <= most:
            return resolution
    return Resolution.DAY


def expected_lines(channels: Sequence[Channel], from_ms: int, to_ms: int, resolution: Resolution) -> float:
    """Return how many lines there are where every reading comes when it is expected."""
    steps = (resolution.step_ms or max(each.interval.total_seconds() * 1000, 1) for each in channels)
    return sum((to_ms - from_ms) / step for step in steps)


async def _pieces(
    services: Services, sheet: Sheet, channels: Sequence[Channel], span: tuple[int, int], mark: str, bounds: Bounds
) -> AsyncIterator[bytes]:
    yield (mark + csv_text([[plain_text(name) for name in sheet.header]])).encode()
    equipment, lines = services.directory().equipment, 0
    for channel in channels:
        async for found in _read(services, channel, *span, sheet.resolution, bounds):
            text = csv_text(sheet.lines(channel, equipment.get(channel.equipment), found[: bounds.lines - lines]))
            yield text.encode("utf-8", "replace")
            lines += len(found)
            if lines > bounds.lines:
                yield csv_text([[f"cut off here: more than {bounds.lines} lines; ask for a shorter time"]]).encode()
                return


async def _read(
    services: Services, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution, bounds: Bounds
) -> AsyncIterator[Sequence[Reading] | Sequence[Rollup]]:
    """Yield what there is, in order of time, a bounded part at a time."""
    while from_ms < to_ms:
        if resolution is Resolution.RAW:
            readings = await services.series(channel.id, from_ms, to_ms, limit=bounds.readings)
            yield readings
            from_ms = readings[-1].measured_at_ms + 1 if len(readings) == bounds.readings else to_ms
        else:
            step_ms = bounds.hours_ms if resolution is Resolution.HOUR else bounds.days_ms
            end_ms = min(from_ms - from_ms % DAY_MS + step_ms, to_ms)
            yield await services.rollups(channel.id, from_ms, end_ms, resolution)
            from_ms = end_ms


def _file_name(id_: str, from_ms: int, to_ms: int) -> str:
    days = (f"{to_datetime(moment_ms):%Y-%m-%d}" for moment_ms in (from_ms, to_ms))
    return "-".join((re.sub(r"[^A-Za-z0-9_-]+", "-", id_).strip("-")[:100] or "readings", *days)) + ".csv"
