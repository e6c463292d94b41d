"""How one fridge, freezer or cold room did in a period: time in range, excursions, mean kinetic temperature."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import NamedTuple

from dashboards.report.kinetic import Peak, kinetic_celsius, worst_day
from dashboards.sla.facility import Recorded
from dashboards.sla.spans import Span, Spans, difference, intersection, spans_of, total_ms, union
from dashboards.sla.timeline import covered
from domain.limits import eras
from domain.places import Channel, Equipment


class Side(StrEnum):
    """Where a temperature was."""

    WITHIN = "within"
    COLD = "too_cold"
    HOT = "too_hot"


@dataclass(frozen=True, slots=True)
class Excursion:
    """A stretch without a break in which one probe was on one side of its limits."""

    channel: str
    side: Side
    span: Span
    extreme: float
    """The worst value, in °C."""
    extreme_ms: int
    low: float
    """The limits in force then; infinite where that side had none."""
    high: float
    begun_before: bool
    """It was outside already: before the period, or before the appliance came back into service."""
    goes_on: bool
    """It was outside still at the end of the period, which may be now, or when the appliance went out of service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """How one did; the five times add up to the period."""

    equipment: Equipment
    within_ms: int
    cold_ms: int
    hot_ms: int
    unknown_ms: int
    away_ms: int
    """In maintenance or out of service: nothing else counts then."""
    lowest: float | None
    highest: float | None
    kinetic: float | None
    """Over the period, of the probe with the highest."""
    worst_day: Peak | None
    excursions: tuple[Excursion, ...]


class _Piece(NamedTuple):
    span: Span
    value: float
    low: float
    high: float
    measured_ms: int

    @property
    def side(self) -> Side:
        if self.value < self.low:
            return Side.COLD
        return Side.HOT if self.value > self.high else Side.WITHIN


def appliance(equipment: Equipment, probes: Sequence[Channel], recorded: Recorded) -> Appliance:
    """Return how an appliance did, by its probes: too cold or hot where any is, in range where all are known to be.

    Where one probe is too cold and another too hot it was too cold: freezing does the worse harm.
    """
    away = intersection(recorded.away.get(equipment.id, ()), (recorded.period,))
    counted = difference((recorded.period,), away)
    pieces = [list(_pieces(probe, recorded)) for probe in probes]
    within, cold, hot = _times(pieces, counted)
    measured = [_measured(probe, recorded, counted) for probe in probes]
    values = [value for each in measured for _, value in each]
    excursions = [
        excursion
        for probe, each in zip(probes, pieces, strict=True)
        for side in (Side.COLD, Side.HOT)
        for excursion in _excursions(probe, side, each, counted)
    ]
    return Appliance(
        equipment=equipment,
        within_ms=within,
        cold_ms=cold,
        hot_ms=hot,
        unknown_ms=total_ms(counted) - within - cold - hot,
        away_ms=total_ms(away),
        lowest=min(values, default=None),
        highest=max(values, default=None),
        kinetic=max((found for each in measured if (found := kinetic_celsius(each)) is not None), default=None),
        worst_day=max(filter(None, map(worst_day, measured)), default=None),
        excursions=tuple(sorted(excursions, key=lambda each: each.span)),
    )


def _times(pieces: Sequence[Sequence[_Piece]], counted: Spans) -> tuple[int, int, int]:
    """Return how long it was within, too cold and too hot."""
    cold, hot = (union(*(_spans(each, side) for each in pieces)) for side in (Side.COLD, Side.HOT))
    known = reduce(intersection, (spans_of(piece.span for piece in each) for each in pieces))
    found = difference(known, union(cold, hot)), cold, difference(hot, cold)
    within, cold, hot = (intersection(each, counted) for each in found)
    return total_ms(within), total_ms(cold), total_ms(hot)


def _pieces(channel: Channel, recorded: Recorded) -> Iterator[_Piece]:
    """Give what each usable reading stands for, cut where the limits change; also of before the period."""
    history = recorded.limits.get(channel.id, ())
    for span, value in covered(recorded.readings[channel.id], recorded.cover_ms[channel.id]):
        for era in eras(history, *span):
            piece = Span(max(span.from_ms, era.from_ms), min(span.to_ms, era.to_ms))
            yield _Piece(piece, value, era.low, era.high, span.from_ms)


def _spans(pieces: Sequence[_Piece], side: Side) -> Spans:
    return spans_of(piece.span for piece in pieces if piece.side is side)


def _measured(channel: Channel, recorded: Recorded, counted: Spans) -> list[tuple[Span, float]]:
    """Return what was measured in the time that counts, whether there were limits or not."""
    found = covered(recorded.readings[channel.id], recorded.cover_ms[channel.id])
    if counted == (recorded.period,):
        begin, end = recorded.period
        cut = ((Span(max(span.from_ms, begin), min(span.to_ms, end)), value) for span, value in found)
        return [(span, value) for span, value in cut if span.length_ms > 0]
    return [(part, value) for span, value in found for part in intersection((span,), counted)]


def _excursions(channel: Channel, side: Side, pieces: Sequence[_Piece], counted: Spans) -> Iterator[Excursion]:
    outside = [piece for piece in pieces if piece.side is side]
    whole = spans_of(piece.span for piece in outside)
    for span in intersection(whole, counted):
        first = bisect_right(outside, span.from_ms, key=lambda piece: piece.span.to_ms)
        beyond = bisect_left(outside, span.to_ms, key=lambda piece: piece.span.from_ms)
        worst = (min if side is Side.COLD else max)(outside[first:beyond], key=lambda piece: piece.value)
        ends_later = any(each.from_ms < span.to_ms < each.to_ms for each in whole)
        yield Excursion(
            channel=channel.id,
            side=side,
            span=span,
            extreme=worst.value,
            extreme_ms=max(worst.measured_ms, span.from_ms),
            low=worst.low,
            high=worst.high,
            begun_before=any(each.from_ms < span.from_ms < each.to_ms for each in whole),
            goes_on=ends_later or span.to_ms == counted[-1].to_ms,
        )
