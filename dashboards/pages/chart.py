"""Charts as data: the drawing that works without JavaScript, the columns that uPlot draws, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from dashboards.pages.series import Bucket, Range, gap_after_ms, merge, merge_every, split_at_gaps
from dashboards.pages.wording import LocalTime, exact_duration_text, local_time, quantity_word
from domain.places import Channel
from domain.quantities import Quantity

WIDTH = 1000
HEIGHT = 200
"""The drawing's own units; the page stretches it."""
_DRAWN_COLUMNS = 120
_PLOTTED_COLUMNS = 480


class Window(NamedTuple):
    """The stretch of time that a chart shows, and whose wall clock labels it."""

    from_ms: int
    to_ms: int
    zone: str
    range: Range


class StripPart(NamedTuple):
    """A stretch of a state: ``share`` is how much of it the state was on (1 all, 0 none)."""

    x: int
    width: int
    share: float


class TableRow(NamedTuple):
    """One row of the table that says what a chart shows."""

    start: LocalTime
    lowest: str
    mean: str
    highest: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One channel over one range, ready to be written into a page."""

    channel: str
    title: str
    is_state: bool
    state_tones: tuple[str, str]
    """How the states 0 and 1 are coloured: ``good``, ``bad``, or ``plain-0`` and ``plain-1`` if neither is better."""
    summary: str
    """What the chart shows, in a sentence."""
    lines: tuple[str, ...]
    """SVG points of the mean, one entry per run between gaps."""
    bands: tuple[str, ...]
    """SVG points from minimum to maximum, one entry per run; empty where every point is one reading."""
    strip: tuple[StripPart, ...]
    safe_top: int | None
    """Where the channel's limits stand in the drawing; None where there is none."""
    safe_bottom: int | None
    top_text: str
    bottom_text: str
    left: LocalTime
    right: LocalTime
    table: tuple[TableRow, ...]

    @property
    def empty(self) -> bool:
        """Tell whether nothing is known in this range."""
        return not self.lines and not self.strip


def build_chart(channel: Channel, buckets: Sequence[Bucket], window: Window, title: str) -> Chart:
    """Return the chart of one channel from its buckets (in order of time) within the window."""
    quantity, is_state = channel.quantity, bool(channel.quantity.states)
    drawn = merge(buckets, window.from_ms, window.to_ms, _DRAWN_COLUMNS)
    scale = _Scale.over(channel, buckets, window)
    runs = [] if is_state else split_at_gaps(drawn, gap_after_ms(channel.interval, drawn))
    low, high = channel.limits.get("low"), channel.limits.get("high")
    limited = not is_state and (low is not None or high is not None)
    return Chart(
        channel=channel.id,
        title=title,
        is_state=is_state,
        state_tones=_state_tones(quantity),
        summary=_summary(channel, buckets, window),
        lines=tuple(" ".join(_line(run, scale)) for run in runs),
        bands=tuple(_band(run, scale) for run in runs if any(each.readings > 1 for each in run)),
        strip=_strip(channel, buckets, window) if is_state else (),
        safe_top=(scale.y(high) if high is not None else 0) if limited else None,
        safe_bottom=(scale.y(low) if low is not None else HEIGHT) if limited else None,
        top_text=quantity.format(scale.highest),
        bottom_text=quantity.format(scale.lowest),
        left=local_time(window.from_ms, window.zone, window.to_ms),
        right=local_time(window.to_ms, window.zone, window.to_ms),
        table=_table(quantity, buckets, window),
    )


def plot_columns(channel: Channel, buckets: Sequence[Bucket], window: Window) -> dict[str, Any]:
    """Return the columns that uPlot draws, in the unit a person reads: times in seconds, null at a gap."""
    columns = merge(buckets, window.from_ms, window.to_ms, _PLOTTED_COLUMNS)
    quantity, coarse = channel.quantity, any(bucket.readings > 1 for bucket in columns)
    times: list[int] = []
    values: tuple[list[float | None], ...] = ([], [], [])
    for run in split_at_gaps(columns, gap_after_ms(channel.interval, columns)):
        if times:
            _append(times, values, run[0].start_ms // 1000 - 1, (None, None, None))
        for bucket in run:
            shown = tuple(_shown(quantity, value) for value in (bucket.mean, bucket.minimum, bucket.maximum))
            _append(times, values, bucket.middle_ms // 1000, shown)
    low, high = channel.limits.get("low"), channel.limits.get("high")
    return {
        "channel": channel.id,
        "unit": quantity.shown_as.text,
        "decimals": quantity.decimals,
        "low": None if low is None else _shown(quantity, low),
        "high": None if high is None else _shown(quantity, high),
        "times": times,
        "mean": values[0],
        "min": values[1] if coarse else None,
        "max": values[2] if coarse else None,
    }


def _append(times: list[int], values: tuple[list[float | None], ...], at: int, shown: Sequence[float | None]) -> None:
    times.append(at)
    for column, value in zip(values, shown, strict=True):
        column.append(value)


def _shown(quantity: Quantity, value: float) -> float:
    return round((value - quantity.shown_as.offset) / quantity.shown_as.scale, max(quantity.decimals, 1) + 1)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From moments and values to the drawing's units."""

    window: Window
    lowest: float
    highest: float

    @classmethod
    def over(cls, channel: Channel, buckets: Sequence[Bucket], window: Window) -> _Scale:
        values = [bucket.minimum for bucket in buckets] + [bucket.maximum for bucket in buckets]
        values += [channel.limits[name] for name in ("low", "high") if name in channel.limits]
        lowest, highest = (min(values), max(values)) if values else (0.0, 1.0)
        margin = (highest - lowest) * 0.1 or max(abs(highest) * 0.02, 0.5 * channel.quantity.shown_as.scale)
        return cls(
            window,
            max(lowest - margin, channel.quantity.lowest),
            min(highest + margin, channel.quantity.highest),
        )

    def x(self, moment_ms: int) -> int:
        share = (moment_ms - self.window.from_ms) / max(self.window.to_ms - self.window.from_ms, 1)
        return round(min(max(share, 0.0), 1.0) * WIDTH)

    def y(self, value: float) -> int:
        share = (value - self.lowest) / ((self.highest - self.lowest) or 1.0)
        return round((1.0 - min(max(share, 0.0), 1.0)) * HEIGHT)


def _line(run: Sequence[Bucket], scale: _Scale) -> list[str]:
    points = [f"{scale.x(bucket.middle_ms)},{scale.y(bucket.mean)}" for bucket in run]
    # A lone point has no length; drawn twice with round caps it shows as a dot.
    return points * 2 if len(points) == 1 else points


def _band(run: Sequence[Bucket], scale: _Scale) -> str:
    upper = [f"{scale.x(bucket.middle_ms)},{scale.y(bucket.maximum)}" for bucket in run]
    lower = [f"{scale.x(bucket.middle_ms)},{scale.y(bucket.minimum)}" for bucket in reversed(run)]
    return " ".join(upper + lower)


class _Stretch(NamedTuple):
    start_ms: int
    end_ms: int
    share: float


def _stretches(channel: Channel, buckets: Sequence[Bucket], window: Window) -> list[_Stretch]:
    """Return how long each state held: until the next reading, and at most until a gap begins."""
    gap_ms = gap_after_ms(channel.interval, buckets)
    found: list[_Stretch] = []
    for number, bucket in enumerate(buckets):
        following = buckets[number + 1].start_ms if number + 1 < len(buckets) else window.to_ms
        end_ms = bucket.end_ms if bucket.readings > 1 else min(following, bucket.start_ms + gap_ms)
        start_ms, end_ms = max(bucket.start_ms, window.from_ms), min(end_ms, window.to_ms)
        share = min(max(bucket.mean, 0.0), 1.0)
        if found and found[-1].share == share and start_ms - found[-1].end_ms < 1000:
            found[-1] = found[-1]._replace(end_ms=end_ms)
        elif end_ms > start_ms:
            found.append(_Stretch(start_ms, end_ms, share))
    return found


def _strip(channel: Channel, buckets: Sequence[Bucket], window: Window) -> tuple[StripPart, ...]:
    scale = _Scale(window, 0.0, 1.0)
    parts = []
    for stretch in _stretches(channel, buckets, window):
        left, right = scale.x(stretch.start_ms), scale.x(stretch.end_ms)
        parts.append(StripPart(left, max(right - left, 1), round(stretch.share, 2)))
    return tuple(parts)


def _state_tones(quantity: Quantity) -> tuple[str, str]:
    if quantity.normal_state is None:
        return "plain-0", "plain-1"
    return ("good", "bad") if quantity.normal_state == 0 else ("bad", "good")


def _summary(channel: Channel, buckets: Sequence[Bucket], window: Window) -> str:
    name, range_words = quantity_word(channel.quantity.name), f"last {window.range.words}"
    if not buckets:
        return f"{name}, {range_words}: no readings."
    if channel.quantity.states:
        return f"{name}, {range_words}: {_state_totals(channel, buckets, window)}."
    lowest = channel.quantity.format(min(bucket.minimum for bucket in buckets))
    highest = channel.quantity.format(max(bucket.maximum for bucket in buckets))
    return f"{name}, {range_words}: lowest {lowest}, highest {highest}."


def _state_totals(channel: Channel, buckets: Sequence[Bucket], window: Window) -> str:
    stretches = _stretches(channel, buckets, window)
    known_ms = sum(each.end_ms - each.start_ms for each in stretches)
    on_ms = sum((each.end_ms - each.start_ms) * each.share for each in stretches)
    unknown_ms = window.to_ms - window.from_ms - known_ms
    off_word, on_word = channel.quantity.states[0], channel.quantity.states[1]
    totals = [(on_word, on_ms), (off_word, known_ms - on_ms), ("unknown", unknown_ms)]
    said = [f"{word} {exact_duration_text(timedelta(milliseconds=ms))}" for word, ms in totals if ms >= 60_000]
    return ", ".join(said) or "no time covered"


def _table(quantity: Quantity, buckets: Sequence[Bucket], window: Window) -> tuple[TableRow, ...]:
    step_ms = round(window.range.table_step.total_seconds() * 1000)
    rows = merge_every(buckets, window.from_ms, step_ms)
    return tuple(
        TableRow(
            local_time(
                window.from_ms + (row.start_ms - window.from_ms) // step_ms * step_ms, window.zone, window.to_ms
            ),
            quantity.format(row.minimum),
            _mean_text(quantity, row.mean),
            quantity.format(row.maximum),
        )
        for row in reversed(rows)
    )


def _mean_text(quantity: Quantity, mean: float) -> str:
    return f"{quantity.states[1]} {mean * 100:.0f} %" if len(quantity.states) > 1 else quantity.format(mean)
