"""The axes of a chart: where a moment and a value stand in the drawing, and what is written beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from babel.dates import format_datetime

from dashboards.pages.series import Bucket, Window
from dashboards.pages.wording import number_text, zone
from dashboards.pages.words import Words
from domain.instant import DAY_MS, HOUR_MS, to_datetime, to_ms
from domain.limits import Era
from domain.places import Channel
from domain.quantities import Quantity

WIDTH = 1000
HEIGHT = 200
"""The drawing's own units; the page stretches it."""
_MOST_VALUES = 4
_WIDEST_LABEL = 6
"""So many characters have room beside the drawing; the unit stands beside the value now as well."""
_MINUTES = ((3, 30), (7, 60), (13, 120), (27, 180), (60, 720))
"""Up to so many hours a tick stands every so many minutes."""
_STEPS = (1.0, 2.0, 5.0, 10.0)


class TimeTick(NamedTuple):
    """A moment that the time axis names."""

    moment_ms: int
    x: int
    label: str
    major: bool
    """Whether it stands on a narrow screen too."""


class ValueTick(NamedTuple):
    """A value that the other axis names, in the unit a person reads."""

    value: float
    y: int
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """From moments and values to the drawing's units."""

    window: Window
    lowest: float
    highest: float

    @classmethod
    def over(cls, channel: Channel, buckets: Sequence[Bucket], limits: Sequence[Era], window: Window) -> Scale:
        """Return the scale in which every value and every limit has its place."""
        values = [bucket.minimum for bucket in buckets] + [bucket.maximum for bucket in buckets]
        values += [limit for era in limits for limit in (era.low, era.high) if math.isfinite(limit)]
        lowest, highest = (min(values), max(values)) if values else (0.0, 1.0)
        margin = (highest - lowest) * 0.1 or max(abs(highest) * 0.02, 0.5 * channel.quantity.shown_as.scale)
        return cls(
            window,
            max(lowest - margin, channel.quantity.lowest),
            min(highest + margin, channel.quantity.highest),
        )

    def x(self, moment_ms: int) -> int:
        """Return where a moment stands, from 0 to ``WIDTH``; one outside of the window stands at its edge."""
        share = (moment_ms - self.window.from_ms) / max(self.window.to_ms - self.window.from_ms, 1)
        return round(min(max(share, 0.0), 1.0) * WIDTH)

    def y(self, value: float) -> int:
        """Return where a value stands, from 0 (the highest) to ``HEIGHT``."""
        share = (value - self.lowest) / ((self.highest - self.lowest) or 1.0)
        return round((1.0 - min(max(share, 0.0), 1.0)) * HEIGHT)


def shown(quantity: Quantity, value: float) -> float:
    """Return a value in the unit a person reads."""
    return round((value - quantity.shown_as.offset) / quantity.shown_as.scale, max(quantity.decimals, 1) + 1)


def value_ticks(quantity: Quantity, scale: Scale, words: Words) -> tuple[ValueTick, ...]:
    """Return round values within the scale, the highest with its unit where there is room."""
    unit = quantity.shown_as
    low, high = ((value - unit.offset) / unit.scale for value in (scale.lowest, scale.highest))
    step = _round_step((high - low) / _MOST_VALUES)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    labels = {count: _short(count * step, step, words) for count in range(first, last + 1)}
    with_unit = f"{labels.get(last, '')} {unit.text}"
    if len(with_unit) <= _WIDEST_LABEL and last in labels:
        labels[last] = with_unit.rstrip()
    return tuple(
        ValueTick(round(count * step, 9), scale.y(count * step * unit.scale + unit.offset), label)
        for count, label in labels.items()
    )


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next((each * power for each in _STEPS if each * power >= rough * (1 - 1e-9)), 10.0 * power)


def _short(value: float, step: float, words: Words) -> str:
    """Return a number as short as its step allows: ``2.5``, ``230``, ``12k``."""
    for least, size, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return number_text(value / size, _decimals(step / size), words=words) + letter
    return number_text(value, _decimals(step), words=words)


def _decimals(step: float) -> int:
    return max(-math.floor(math.log10(step) + 1e-9), 0)


@lru_cache(maxsize=8)
def time_ticks(window: Window, words: Words) -> tuple[TimeTick, ...]:
    """Return round moments of the facility's wall clock within the window, with what is written at them.

    All charts of a page have the same. An hour that the clock leaves out has no tick, and of one that it strikes twice
    the first has it.
    """
    scale, here = Scale(window, 0.0, 1.0), zone(window.zone)
    return tuple(
        TimeTick(moment_ms, scale.x(moment_ms), _label(wall, window, words), major)
        for wall, major in _walls(window, here)
        if window.from_ms <= (moment_ms := _moment_ms(wall, here)) <= window.to_ms and _strikes(wall, moment_ms, here)
    )


def _moment_ms(wall: datetime, here: tzinfo) -> int:
    return to_ms(wall.replace(tzinfo=here).astimezone(UTC))


def _strikes(wall: datetime, moment_ms: int, here: tzinfo) -> bool:
    return to_datetime(moment_ms).astimezone(here).replace(tzinfo=None) == wall


def _walls(window: Window, here: tzinfo) -> Iterator[tuple[datetime, bool]]:
    """Yield round wall-clock times around the window, and whether each is one of the more important."""
    span_ms = window.to_ms - window.from_ms
    first, last = (to_datetime(each).astimezone(here).replace(tzinfo=None) for each in (window.from_ms, window.to_ms))
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if span_ms <= 60 * HOUR_MS:
        minutes = next(
            m for most, m in ((3, 30), (7, 60), (13, 120), (27, 180), (60, 720)) if span_ms <= most * HOUR_MS
        )
        while day <= last:
            yield day, (day.hour * 60 + day.minute) % (2 * minutes) == 0
            day += timedelta(minutes=minutes)
        return
    while day <= last:
        if span_ms <= 11 * DAY_MS:
            yield day, day.toordinal() % 2 == 0
        elif span_ms <= 62 * DAY_MS:
            if day.weekday() == 0:
                yield day, True
        elif day.day == 1:
            yield day, day.month % 3 == 1
        day += timedelta(days=1)


def _label(wall: datetime, window: Window, words: Words) -> str:
    span_ms, in_the_day = window.to_ms - window.from_ms, bool(wall.hour or wall.minute)
    if span_ms > 62 * DAY_MS:
        pattern = "y" if wall.month == 1 else "MMM"
    elif span_ms <= 60 * HOUR_MS and in_the_day:
        pattern = "HH:mm"
    else:
        pattern = "EEE d" if 60 * HOUR_MS < span_ms <= 11 * DAY_MS else "d MMM"
    return format_datetime(wall, pattern, locale=words.locale)
