"""The timelines of one facility's services, from the readings of its channels.

Power is there while any supply is on, and gone while every one is known to be off. The cold chain is down while any
appliance is outside of the limits in force at the time, and up while all are known to be within. There is water while
any tank, tap or meter shows some. Monitoring is up while any channel is heard and down otherwise, from the first
reading of the facility on: data that come later make up for it. No link is not no power: what nobody heard is unknown.
A channel from which nothing ever came is not installed yet: but for monitoring it counts as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.figures.watched import NEARLY_EMPTY_RATIO, is_probe
from dashboards.sla.figures import ServiceFigures, figures
from dashboards.sla.spans import Span, Spans, difference, spans_of, union
from dashboards.sla.timeline import Timeline, all_of, any_of, covered, in_limits, observed
from domain.directory import Directory
from domain.limits import LimitHistory
from domain.places import Channel, Facility, Service
from domain.reading import Reading
from domain.supplies import ON, is_supply

_EMPTY: Spans = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is stored of a facility in a period, and a little before."""

    period: Span
    """Up to now at most: nothing is known of later."""
    readings: Mapping[str, Sequence[Reading]]
    """By channel, in order of time, each moment once; from so long before the period as a reading covers.

    A channel from which nothing ever came, in the period or before, is not in it.
    """
    cover_ms: Mapping[str, int]
    """How long a reading of a channel covers at most."""
    limits: Mapping[str, LimitHistory]
    there_from_ms: int = 0
    """When anything of a facility was first heard: it was not installed before. 0 where that was before the period, or
    where nothing was ever heard, which is a silence."""
    planned: Spans = ()
    """Announced maintenance of the whole facility."""
    away: Mapping[str, Spans] = field(default_factory=dict)
    """When equipment was in maintenance or out of service: it then counts as if it were not there."""


def facility_figures(facility: Facility, directory: Directory, recorded: Recorded) -> dict[Service, ServiceFigures]:
    """Return the figures of the services that are watched at a facility."""
    timelines = {
        Service.POWER: _power(facility, directory, recorded),
        Service.COLD_CHAIN: _cold_chain(facility, directory, recorded),
        Service.WATER: _water(facility, directory, recorded),
        Service.MONITORING: _monitoring(facility, directory, recorded),
    }
    return {
        service: figures(timeline, recorded.period, recorded.planned)
        for service, timeline in timelines.items()
        if timeline is not None
    }


def _power(facility: Facility, directory: Directory, recorded: Recorded) -> Timeline | None:
    supplies = [
        _observed(channel, recorded, ON).down_throughout(_away(channel, recorded))
        for channel in directory.channels_of(facility.id)
        if channel.id in recorded.readings and is_supply(directory, channel)
    ]
    return any_of(supplies) if supplies else None


def _cold_chain(facility: Facility, directory: Directory, recorded: Recorded) -> Timeline | None:
    probes = [
        in_limits(*_said(channel, recorded), recorded.limits.get(channel.id, ())).up_throughout(
            _away(channel, recorded)
        )
        for channel in directory.channels_of(facility.id)
        if channel.id in recorded.readings and is_probe(channel, directory)
    ]
    return all_of(probes) if probes else None


def _in_limits(channel: Channel, recorded: Recorded) -> Timeline:
    return in_limits(*_said(channel, recorded), recorded.limits.get(channel.id, ()))


def _water(facility: Facility, directory: Directory, recorded: Recorded) -> Timeline | None:
    sources = [
        _observed(channel, recorded, _WATER[channel.quantity.name]).down_throughout(_away(channel, recorded))
        for channel in directory.channels_of(facility.id)
        if channel.id in recorded.readings and _is_source(channel, directory)
    ]
    return any_of(sources) if sources else None


_WATER = {"tank_level": NEARLY_EMPTY_RATIO, "flow": 1e-9}
"""From which value on a quantity shows water. A meter's total shows none at a moment."""


def _is_source(channel: Channel, directory: Directory) -> bool:
    equipment = directory.equipment.get(channel.equipment)
    return channel.quantity.name in _WATER and equipment is not None and equipment.kind.service is Service.WATER


def _monitoring(facility: Facility, directory: Directory, recorded: Recorded) -> Timeline | None:
    channels = directory.channels_of(facility.id)
    if not channels:
        return None
    heard = union(*(spans_of(span for span, _ in covered(*_said(channel, recorded))) for channel in channels))
    begin_ms, end_ms = max(recorded.period.from_ms, recorded.there_from_ms), recorded.period.to_ms
    return Timeline(heard, difference(spans_of([(begin_ms, max(begin_ms, end_ms))]), heard))


def _observed(channel: Channel, recorded: Recorded, least: float) -> Timeline:
    return observed(*_said(channel, recorded), lambda value: value >= least)


def _said(channel: Channel, recorded: Recorded) -> tuple[Sequence[Reading], int]:
    return recorded.readings.get(channel.id, ()), recorded.cover_ms[channel.id]


def _away(channel: Channel, recorded: Recorded) -> Spans:
    return recorded.away.get(channel.equipment, _EMPTY)
