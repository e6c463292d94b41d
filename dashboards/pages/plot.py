"""The same charts as columns for uPlot, which is given the very limits, marks and axes of the drawing it replaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dashboards.pages.axes import Scale, shown, time_ticks, value_ticks
from dashboards.pages.happenings import HappeningKind, Lettered
from dashboards.pages.limit_steps import limits_in_force
from dashboards.pages.series import Bucket, Window, runs
from dashboards.pages.words import Words
from domain.places import Channel
from domain.quantities import Quantity

_PLOTTED_COLUMNS = 480


def plot_frame(window: Window, words: Words) -> dict[str, Any]:
    """Return what all charts of a window have in common: its bounds in seconds, its zone and its time axis."""
    return {
        "zone": window.zone,
        "from": window.from_ms // 1000,
        "to": window.to_ms // 1000,
        "ticks": [[tick.moment_ms // 1000, tick.label, int(tick.major)] for tick in time_ticks(window, words)],
    }


def plot_columns(
    channel: Channel,
    buckets: Sequence[Bucket],
    window: Window,
    happenings: Sequence[Lettered] = (),
    *,
    words: Words,
) -> dict[str, Any]:
    """Return the columns of a channel in the unit a person reads: times in seconds, null at a gap.

    ``limits`` are [from, to, low, high], null where a side has none; ``excursions`` [from, to].
    """
    quantity, limits = channel.quantity, limits_in_force(channel, window)
    scale = Scale.over(channel, buckets, limits, window)
    drawn = runs(buckets, channel.interval, window, _PLOTTED_COLUMNS)
    coarse = any(bucket.readings > 1 for run in drawn for bucket in run)
    times, values = _columns(quantity, drawn)
    return {
        "channel": channel.id,
        "unit": quantity.shown_as.text,
        "decimals": quantity.decimals,
        "limits": [
            [era.from_ms // 1000, era.to_ms // 1000, _finite(quantity, era.low), _finite(quantity, era.high)]
            for era in limits
        ],
        "excursions": [
            [max(each.start_ms, window.from_ms) // 1000, min(each.end_ms, window.to_ms) // 1000]
            for _, each in happenings
            if each.kind is HappeningKind.EXCURSION
        ],
        "scale": [shown(quantity, scale.lowest), shown(quantity, scale.highest)],
        "ticks": [[tick.value, tick.label] for tick in value_ticks(quantity, scale, words)],
        "times": times,
        "mean": values[0],
        "min": values[1] if coarse else None,
        "max": values[2] if coarse else None,
    }


Columns = tuple[list[int], tuple[list[float | None], ...]]


def _columns(quantity: Quantity, drawn: Sequence[Sequence[Bucket]]) -> Columns:
    times: list[int] = []
    values: tuple[list[float | None], ...] = ([], [], [])

    def append(at: int, found: Sequence[float | None]) -> None:
        # A column that ends at a gap and the next may share a second; uPlot wants times that rise.
        times.append(max(at, times[-1] + 1) if times else at)
        for column, value in zip(values, found, strict=True):
            column.append(value)

    for run in drawn:
        if times:
            append(run[0].start_ms // 1000 - 1, (None, None, None))
        for bucket in run:
            append(
                bucket.middle_ms // 1000, [shown(quantity, v) for v in (bucket.mean, bucket.minimum, bucket.maximum)]
            )
    return times, values


def _finite(quantity: Quantity, limit: float) -> float | None:
    return shown(quantity, limit) if math.isfinite(limit) else None
