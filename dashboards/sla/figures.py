"""From timelines to the figures of a contract: seconds up, down and unknown, outages, and indices of many facilities.

Indices follow IEEE 1366, with facilities for customers: SAIFI counts sustained interruptions a facility, SAIDI their
minutes a facility, CAIDI the minutes of one; momentary ones, up to five minutes, are counted apart as MAIFI.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.sla.spans import Span, Spans, difference, intersection, total_ms
from dashboards.sla.timeline import Timeline
from domain.instant import MINUTE_MS

MOMENTARY_MS: Final = 5 * MINUTE_MS
"""An interruption of at most this length is momentary (IEEE 1366)."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch without a break in which a service was down, beyond planned maintenance."""

    span: Span
    begun_before: bool
    """It was down already: before the period, or in maintenance."""
    goes_on: bool
    """It was down still at the end of the period, which may be now, or when maintenance began."""

    @property
    def momentary(self) -> bool:
        """Tell whether it was short; one that reaches beyond what is counted is not."""
        return self.span.length_ms <= MOMENTARY_MS and not self.begun_before and not self.goes_on


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """How one service of one facility was in a period; the four add up to the period."""

    up_ms: int
    down_ms: int
    unknown_ms: int
    planned_ms: int
    """Announced maintenance: none of the others counts then."""
    outages: tuple[Outage, ...]

    @property
    def availability(self) -> float | None:
        """Return the share of the time up in what is known; None where nothing is known."""
        known = self.up_ms + self.down_ms
        return self.up_ms / known if known else None


@dataclass(frozen=True, slots=True)
class Indices:
    """What interruptions came to for many facilities."""

    facilities: int
    sustained: int
    momentary: int
    sustained_ms: int

    @property
    def saifi(self) -> float | None:
        """Return sustained interruptions a facility."""
        return self.sustained / self.facilities if self.facilities else None

    @property
    def saidi_minutes(self) -> float | None:
        """Return minutes of sustained interruptions a facility."""
        return self.sustained_ms / MINUTE_MS / self.facilities if self.facilities else None

    @property
    def caidi_minutes(self) -> float | None:
        """Return minutes of a sustained interruption; None where there was none."""
        return self.sustained_ms / MINUTE_MS / self.sustained if self.sustained else None

    @property
    def maifi(self) -> float | None:
        """Return momentary interruptions a facility."""
        return self.momentary / self.facilities if self.facilities else None


def figures(timeline: Timeline, period: Span, planned: Spans) -> ServiceFigures:
    """Return the figures of a service in a period, of which ``planned`` is left out."""
    whole: Spans = (period,)
    planned = intersection(planned, whole)
    counted = difference(whole, planned)
    known = timeline.within(counted)
    up_ms, down_ms, planned_ms = total_ms(known.up), total_ms(known.down), total_ms(planned)
    return ServiceFigures(
        up_ms=up_ms,
        down_ms=down_ms,
        unknown_ms=total_ms(counted) - up_ms - down_ms,
        planned_ms=planned_ms,
        outages=tuple(_outage(span, timeline, period) for span in known.down),
    )


def _outage(span: Span, timeline: Timeline, period: Span) -> Outage:
    before = any(each.from_ms < span.from_ms <= each.to_ms for each in timeline.down)
    after = any(each.from_ms <= span.to_ms < each.to_ms for each in timeline.down)
    return Outage(span, begun_before=before, goes_on=after or span.to_ms == period.to_ms)


def indices(found: Iterable[ServiceFigures]) -> Indices:
    """Return the indices of facilities of which each has this service."""
    services: Sequence[ServiceFigures] = list(found)
    outages = [outage for each in services for outage in each.outages]
    sustained = [outage for outage in outages if not outage.momentary]
    return Indices(
        facilities=len(services),
        sustained=len(sustained),
        momentary=len(outages) - len(sustained),
        sustained_ms=sum(outage.span.length_ms for outage in sustained),
    )
