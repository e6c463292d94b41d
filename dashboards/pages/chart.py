"""Charts as data: the drawing that works without JavaScript, the columns that uPlot draws, and the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dashboards.pages.axes import HEIGHT, Scale, TimeTick, ValueTick, time_ticks, value_ticks
from dashboards.pages.happenings import NO_MARKS, Bar, HappeningKind, Lettered, Marks, marks_of
from dashboards.pages.limit_steps import limits_in_force
from dashboards.pages.names import STATE_NAMES
from dashboards.pages.series import Bucket, Window, merge_every, runs
from dashboards.pages.state_strip import POWER_STATES, Stretch, Strip, StripPart, shares_of, stretches_of, strip_of
from dashboards.pages.wording import LocalTime, local_time, number_text, quantity_word, value_text
from dashboards.pages.words import Words
from domain.limits import Era
from domain.places import Channel
from domain.quantities import Quantity

_DRAWN_COLUMNS = 120


class SafeStep(NamedTuple):
    """A stretch of the drawing in which the same limits were in force, from the highest to the lowest safe value."""

    x: int
    width: int
    top: int
    height: int


class TableRow(NamedTuple):
    """One row of the table that says what a chart shows."""

    start: LocalTime
    lowest: str
    mean: str
    highest: str
    power: str
    """For how much of the time there was power; empty where the chart has no such strip, or nothing is known."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a chart shows beside its own readings."""

    power: Sequence[Stretch] | None = None
    """None: no strip of power is drawn."""
    happenings: Sequence[Lettered] = ()


NOTHING = Beside()


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
    safe: tuple[SafeStep, ...]
    """Between the channel's limits, those in force at each time."""
    value_ticks: tuple[ValueTick, ...]
    time_ticks: tuple[TimeTick, ...]
    power: Strip | None
    marks: Marks
    table: tuple[TableRow, ...]

    @property
    def empty(self) -> bool:
        """Tell whether nothing is known in this range."""
        return not self.lines and not self.strip

    @property
    def excursions(self) -> tuple[Bar, ...]:
        """Return the stretches that are shaded in the drawing itself."""
        return tuple(bar for bar in self.marks.bars if bar.kind is HappeningKind.EXCURSION)

    @property
    def moments(self) -> tuple[Bar, ...]:
        """Return the moments that a line through the drawing marks."""
        return tuple(bar for bar in self.marks.bars if bar.kind is HappeningKind.MOMENT)


def build_chart(
    channel: Channel,
    buckets: Sequence[Bucket],
    window: Window,
    title: str,
    beside: Beside = NOTHING,
    *,
    words: Words,
) -> Chart:
    """Return the chart of one channel from its buckets (in order of time) within the window."""
    quantity, is_state = channel.quantity, bool(channel.quantity.states)
    limits = [] if is_state else limits_in_force(channel, window)
    scale = Scale.over(channel, buckets, limits, window)
    drawn = [] if is_state else runs(buckets, channel.interval, window, _DRAWN_COLUMNS)
    marks = marks_of(beside.happenings, window) if beside.happenings else NO_MARKS
    own = stretches_of(channel, buckets, window) if is_state else []
    power = None if beside.power is None or is_state else strip_of(beside.power, POWER_STATES, window, words)
    return Chart(
        channel=channel.id,
        title=title,
        is_state=is_state,
        state_tones=_state_tones(quantity),
        summary=_summary(channel, buckets, own, window, words),
        lines=tuple(" ".join(_line(run, scale)) for run in drawn),
        bands=tuple(_band(run, scale) for run in drawn if any(each.readings > 1 for each in run)),
        strip=strip_of(own, quantity.states, window, words).parts if is_state else (),
        safe=tuple(_safe_step(era, scale) for era in limits),
        value_ticks=() if is_state else value_ticks(quantity, scale, words),
        time_ticks=time_ticks(window, words),
        power=power,
        marks=marks,
        table=_table(channel, buckets, window, beside.power if power else None, words),
    )


def _safe_step(era: Era, scale: Scale) -> SafeStep:
    left, right = scale.x(era.from_ms), scale.x(era.to_ms)
    top = scale.y(era.high) if math.isfinite(era.high) else 0
    bottom = scale.y(era.low) if math.isfinite(era.low) else HEIGHT
    return SafeStep(left, right - left, top, bottom - top)


def _line(run: Sequence[Bucket], scale: Scale) -> list[str]:
    points = [f"{scale.x(bucket.middle_ms)},{scale.y(bucket.mean)}" for bucket in run]
    # A lone point has no length; drawn twice with round caps it shows as a dot.
    return points * 2 if len(points) == 1 else points


def _band(run: Sequence[Bucket], scale: Scale) -> str:
    if len(run) == 1:
        # One stretch between two gaps is as wide as it lasted, or it would have no area.
        left, right = scale.x(run[0].start_ms), scale.x(run[0].end_ms)
        edges = [left, max(right, left + 1)]
        tops, bottoms = [run[0].maximum] * 2, [run[0].minimum] * 2
    else:
        edges = [scale.x(bucket.middle_ms) for bucket in run]
        tops, bottoms = [bucket.maximum for bucket in run], [bucket.minimum for bucket in run]
    upper = [f"{x},{scale.y(value)}" for x, value in zip(edges, tops, strict=True)]
    lower = [f"{x},{scale.y(value)}" for x, value in zip(reversed(edges), reversed(bottoms), strict=True)]
    return " ".join(upper + lower)


def _state_tones(quantity: Quantity) -> tuple[str, str]:
    if quantity.normal_state is None:
        return "plain-0", "plain-1"
    return ("good", "bad") if quantity.normal_state == 0 else ("bad", "good")


def _summary(channel: Channel, buckets: Sequence[Bucket], own: Sequence[Stretch], window: Window, words: Words) -> str:
    quantity, name, last = channel.quantity, quantity_word(channel.quantity.name, words), words(window.range.last)
    if not buckets:
        return words("{quantity}, {range}: no readings.", quantity=name, range=last)
    if quantity.states:
        totals = strip_of(own, STATE_NAMES[quantity.name], window, words).totals
        return words("{quantity}, {range}: {totals}.", quantity=name, range=last, totals=totals)
    return words(
        "{quantity}, {range}: lowest {lowest}, highest {highest}.",
        quantity=name,
        range=last,
        lowest=value_text(quantity, min(bucket.minimum for bucket in buckets), words),
        highest=value_text(quantity, max(bucket.maximum for bucket in buckets), words),
    )


def _table(
    channel: Channel, buckets: Sequence[Bucket], window: Window, power: Sequence[Stretch] | None, words: Words
) -> tuple[TableRow, ...]:
    quantity, step_ms = channel.quantity, round(window.range.table_step.total_seconds() * 1000)
    starts = _row_starts(window, words)
    powered = _power_shares(power, window, step_ms, words) if power is not None else {}
    return tuple(
        TableRow(
            starts[number],
            value_text(quantity, row.minimum, words),
            _mean_text(quantity, row.mean, words),
            value_text(quantity, row.maximum, words),
            powered.get(number, ""),
        )
        for row in reversed(merge_every(buckets, window.from_ms, step_ms))
        for number in ((row.start_ms - window.from_ms) // step_ms,)
    )


@lru_cache(maxsize=8)
def _row_starts(window: Window, words: Words) -> tuple[LocalTime, ...]:
    """Return when each row of a table begins; all charts of a page have the same."""
    step_ms = round(window.range.table_step.total_seconds() * 1000)
    starts_ms = range(window.from_ms, window.to_ms + 1, step_ms)
    return tuple(local_time(start_ms, window.zone, window.to_ms, words) for start_ms in starts_ms)


def _power_shares(power: Sequence[Stretch], window: Window, step_ms: int, words: Words) -> dict[int, str]:
    return {
        row: words("{percent} %", percent=number_text(on_ms / (on_ms + off_ms) * 100, 0, words=words))
        for row, (on_ms, off_ms) in shares_of(power, window.from_ms, step_ms).items()
        if on_ms + off_ms > 0
    }


def _mean_text(quantity: Quantity, mean: float, words: Words) -> str:
    if len(quantity.states) <= 1:
        return value_text(quantity, mean, words)
    state = words(STATE_NAMES[quantity.name][1])
    return words("{state} {percent} %", state=state, percent=number_text(mean * 100, 0, words=words))
