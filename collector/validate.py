"""Samples in, readings out: whose they are, in which unit, and whether they can be true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from collector.settings import ValidationSettings
from domain.directory import Directory
from domain.instant import format_rfc3339
from domain.places import Channel
from domain.reading import Batch, Quality, Reading, Sample
from domain.rejection import Reason
from domain.units import UNITS_BY_SYMBOL

_LONGEST_NAME = 80


class Refusal(NamedTuple):
    """One sample that is not accepted; ``sample`` is None where the whole batch is meant."""

    reason: Reason
    detail: str
    """What was found and what is allowed, one sentence."""
    sample: Sample | None


class Accepted(NamedTuple):
    """What became of a batch: every sample stands in exactly one of the two lists."""

    readings: list[Reading]
    rejected: list[Refusal]


class _Route(NamedTuple):
    """How one (name, unit) of a node becomes a reading: ``value * scale + offset`` within lowest..highest."""

    channel: str
    lowest: float
    highest: float
    scale: float
    offset: float


class NodePlan:
    """The routes of one node, found once and kept for as long as the directory object lives."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self.channels = channels
        self.routes: dict[tuple[str, str | None], _Route] = {}

    def find(self, name: str, unit: str | None) -> _Route | None:
        """Return the route, or None where there is none; only found ones are kept, so that senders cannot fill it."""
        channel = self.channels.get(name)
        if channel is None:
            return None
        quantity = channel.quantity
        sent = quantity.unit if unit is None else UNITS_BY_SYMBOL.get(unit)
        if sent is None or sent.canonical != quantity.unit.name:
            return None
        route = _Route(channel.id, quantity.lowest, quantity.highest, sent.scale, sent.offset)
        self.routes[name, unit] = route
        return route


_PLANS: WeakKeyDictionary[Directory, dict[str, NodePlan]] = WeakKeyDictionary()


def validate(batch: Batch, directory: Directory, *, now_ms: int, settings: ValidationSettings) -> Accepted:
    """Return the batch's readings in canonical units, and its refused samples with their reasons.

    ``now_ms`` is when the batch was received. A sample without a usable value is a reading with value None: that a
    sensor is gone is worth keeping.
    """
    plan = plan_of(batch.node, directory)
    if plan is None:
        return Accepted([], [_unknown_node(batch.node)])
    oldest_ms, newest_ms = settings.oldest_ms, now_ms + settings.future_tolerance_ms
    routes, worst_usable = plan.routes, Quality.UNCERTAIN
    readings: list[Reading] = []
    rejected: list[Refusal] = []
    keep, make = readings.append, Reading._make
    for sample in batch.samples:  # one plain loop: every reading of the country passes here
        name, measured_at_ms, value, quality, unit = sample
        route = routes.get((name, unit)) or plan.find(name, unit)
        if route is not None and oldest_ms <= measured_at_ms <= newest_ms:
            channel, lowest, highest, scale, offset = route
            if value is None or quality > worst_usable:
                keep(Reading(channel, measured_at_ms, None, _without_value(quality), now_ms))
                continue
            canonical = value * scale + offset
            if lowest <= canonical <= highest:
                keep(make((channel, measured_at_ms, canonical, quality, now_ms)))
                continue
        rejected.append(_why(sample, plan, oldest_ms, newest_ms))
    return Accepted(readings, rejected)


def plan_of(node: str, directory: Directory) -> NodePlan | None:
    """Return the routes of a node, remembered for as long as the directory lives; None for an unknown node."""
    plans = _PLANS.get(directory)
    if plans is None:
        plans = _PLANS[directory] = {}
    plan = plans.get(node)
    if plan is None:
        channels = directory.channels_of_node(node)
        if channels is None:
            return None
        plan = plans[node] = NodePlan(channels)
    return plan


def _without_value(quality: Quality) -> Quality:
    """Return the quality of a sample without a value, which is never a usable one."""
    return Quality.BAD_VALUE if quality <= Quality.UNCERTAIN else quality


def _unknown_node(node: str) -> Refusal:
    return Refusal(Reason.UNKNOWN_NODE, f"node {_shown(node)} is not in the registry", None)


def _why(sample: Sample, plan: NodePlan, oldest_ms: int, newest_ms: int) -> Refusal:
    """Say why a sample found no way through; called for refused samples only."""
    name = _shown(sample.name)
    channel = plan.channels.get(sample.name)
    if channel is None:
        return Refusal(Reason.UNKNOWN_CHANNEL, f"the node has no channel {name} in the registry", sample)
    route = plan.find(sample.name, sample.unit)
    quantity = channel.quantity
    if route is None:
        allowed = f"{quantity.name} is in {quantity.unit.symbol} or a unit that converts to it"
        return Refusal(Reason.UNIT_MISMATCH, f"{name} came in {_shown(sample.unit or '')}; {allowed}", sample)
    if sample.measured_at_ms < oldest_ms:
        detail = f"{name} is of {_moment(sample.measured_at_ms)}; not accepted before {_moment(oldest_ms)}"
        return Refusal(Reason.TIME_TOO_OLD, detail, sample)
    if sample.measured_at_ms > newest_ms:
        detail = f"{name} is of {_moment(sample.measured_at_ms)}; not accepted after {_moment(newest_ms)}"
        return Refusal(Reason.TIME_IN_FUTURE, detail, sample)
    value = math.nan if sample.value is None else sample.value * route.scale + route.offset
    if not math.isfinite(value):
        return Refusal(Reason.NOT_FINITE, f"{name} is {value}; a value is a finite number", sample)
    allowed = f"{quantity.name} lies in {quantity.lowest:g}..{quantity.highest:g} {quantity.unit.symbol}"
    return Refusal(Reason.OUT_OF_RANGE, f"{name} is {value:g}; {allowed}", sample)


def _shown(text: str) -> str:
    """Quote what a sender wrote, cut and escaped, so that it can stand in a log line."""
    return ascii(text[:_LONGEST_NAME])


def _moment(moment_ms: int) -> str:
    try:
        return format_rfc3339(moment_ms)
    except (OverflowError, ValueError):
        return f"{moment_ms} ms"
