"""Why the live view of Prometheus differs from the contract figures: late data, maintenance, what nobody watched. Pure.

The live view counts what is known as it happens, and only while the service runs and is asked; it corrects nothing and
leaves no maintenance out. So the contract's figures are taken apart: as they would be by timely readings alone, and
without maintenance. What is left then lies between the two ways of seeing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from dashboards.sla.facility import Recorded, facility_figures
from dashboards.sla.figures import ServiceFigures
from dashboards.sla.spans import Span
from domain.directory import Directory
from domain.instant import SECOND_MS
from domain.places import Facility, Service

_GAP: Final = 2.5
"""So many times the usual distance between two samples, and samples are missing."""
_SLACK: Final = 2
"""Two scrapes: how far apart the two may be without a reason."""
_EMPTY: Final = ServiceFigures(0, 0, 0, 0, ())

Samples = Sequence[tuple[float, float]]
"""Unix seconds and value of a counter, in order of time."""


@dataclass(frozen=True, slots=True)
class Live:
    """What Prometheus has of one service of a facility in a period, in seconds."""

    down: float
    observed: float
    step: float
    """The usual distance between two samples; 0 where there are none."""
    gaps: int
    missing: float
    """How much of the period lies between samples that are too far apart, or before the first or after the last."""
    restarts: int


class Facts(NamedTuple):
    """The contract's figures of one service, and as they would be otherwise."""

    contract: ServiceFigures
    whole: ServiceFigures
    """With maintenance counted as well."""
    timely: ServiceFigures
    """That, by readings alone that came in time."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the two views are apart for one service, and why."""

    service: Service
    contract_down: float
    contract_known: float
    live_down: float
    live_observed: float
    agree: bool
    reasons: tuple[str, ...]


def facts_of(facility: Facility, directory: Directory, recorded: Recorded) -> Mapping[Service, Facts]:
    """Return the figures of each service as they are, with maintenance counted, and by timely readings alone."""
    whole = replace(recorded, planned=(), away={})
    in_time = {
        channel: [each for each in readings if each.received_at_ms - each.measured_at_ms <= recorded.cover_ms[channel]]
        for channel, readings in recorded.readings.items()
    }
    contract, counted, timely = (
        facility_figures(facility, directory, each) for each in (recorded, whole, replace(whole, readings=in_time))
    )
    return {
        service: Facts(found, counted.get(service, _EMPTY), timely.get(service, _EMPTY))
        for service, found in contract.items()
    }


def live_of(down: Samples, observed: Samples, period: Span) -> Live:
    """Return what samples of the two counters come to in a period; a counter that falls began anew at zero."""
    begin, end = period.from_ms / SECOND_MS, period.to_ms / SECOND_MS
    times = [at for at, _ in observed]
    steps = [after - before for before, after in pairwise(times)]
    step = median(steps) if steps else 0.0
    inside = [begin, *(at for at in times if begin < at < end), end]
    far = [after - before for before, after in pairwise(inside) if after - before > max(step, 1.0) * _GAP]
    return Live(
        down=_increase(down, begin, end),
        observed=_increase(observed, begin, end),
        step=step,
        gaps=len(far),
        missing=sum(far) if times else end - begin,
        restarts=sum(after < before for (_, before), (at, after) in pairwise(observed) if begin < at < end),
    )


def _increase(samples: Samples, begin: float, end: float) -> float:
    """Return by how much a counter grew in [begin, end); of a step across an edge the part inside."""
    grown = 0.0
    for (before, low), (after, high) in pairwise(samples):
        inside = min(after, end) - max(before, begin)
        if inside > 0:
            grown += (high - low if high >= low else high) * inside / (after - before)
    return grown


def difference(service: Service, facts: Facts, live: Live, period: Span) -> Difference:
    """Return how far the two are apart for one service, and why."""
    contract, whole_s = facts.contract, period.length_ms / SECOND_MS
    known = (contract.up_ms + contract.down_ms) / SECOND_MS
    slack = max(live.step * _SLACK, 1.0)
    apart = abs(live.down - contract.down_ms / SECOND_MS), abs(live.observed - known)
    agree = max(apart) <= slack
    return Difference(
        service=service,
        contract_down=contract.down_ms / SECOND_MS,
        contract_known=known,
        live_down=live.down,
        live_observed=live.observed,
        agree=agree,
        reasons=() if agree else tuple(_reasons(service, facts, live, whole_s, slack)),
    )


def _reasons(service: Service, facts: Facts, live: Live, whole_s: float, slack: float) -> Iterator[str]:
    contract, whole, timely = facts
    if not live.step:
        yield "Prometheus has no samples of it in this time: nothing was scraped, or under another name."
        return
    if whole.up_ms + whole.down_ms > contract.up_ms + contract.down_ms:
        planned = (whole.up_ms + whole.down_ms - contract.up_ms - contract.down_ms) / SECOND_MS
        yield (
            f"Maintenance: the contract leaves out {clock(planned)}, in which it was down for "
            f"{clock((whole.down_ms - contract.down_ms) / SECOND_MS)}; the live view counts it."
        )
    late = (whole.up_ms + whole.down_ms - timely.up_ms - timely.down_ms) / SECOND_MS
    if service is Service.MONITORING:
        late = (timely.down_ms - whole.down_ms) / SECOND_MS
    if late > 0:
        yield _late(service, facts, late)
    unknown = contract.unknown_ms / SECOND_MS
    if unknown:
        yield f"Silence: nobody heard of {clock(unknown)}; no link is not no power, and neither view counts it."
    if live.missing > slack:
        gaps = "1 gap" if live.gaps < 2 else f"{live.gaps} gaps"
        yield (
            f"Scrapes missing: {clock(live.missing)} in {gaps}, with a sample each {live.step:.0f} s otherwise; what "
            "happened in them is counted only where the service ran on."
        )
    if live.restarts:
        yield (
            f"Restarts: the counters began anew {live.restarts} {'time' if live.restarts == 1 else 'times'}; what was "
            "counted after the last scrape before that is lost."
        )
    seen = (timely.up_ms + timely.down_ms) / SECOND_MS
    if live.observed < seen - slack:
        yield (
            f"Watched: the live view knew {clock(live.observed)} of {clock(whole_s)}, timely readings tell of "
            f"{clock(seen)}."
        )
    left = live.down - timely.down_ms / SECOND_MS
    if abs(left) > slack:
        yield _left(service, left)


def _late(service: Service, facts: Facts, late: float) -> str:
    down = (facts.whole.down_ms - facts.timely.down_ms) / SECOND_MS
    if service is Service.MONITORING:
        return f"Late data: {clock(late)} of silence were filled in later; the live view had counted them as down."
    return (
        f"Late data: {clock(late)} became known only later, of which it was down for {clock(max(down, 0))}; "
        "the live view was over them by then."
    )


def _left(service: Service, left: float) -> str:
    more = "more" if left > 0 else "less"
    by_alerts = service in (Service.COLD_CHAIN, Service.WATER)
    why = (
        "the live view goes by critical alerts, which a rule raises after a while, the contract by every reading"
        if by_alerts
        else "the live view changes when a reading comes, the contract when it was measured, for as long as it covers"
    )
    return f"Left: the live view has {clock(abs(left))} {more} down than timely readings; {why}."


def clock(seconds: float) -> str:
    """Return hours, minutes and seconds: ``2:30:00``."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
