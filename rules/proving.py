"""Judges the trials of a rule by the real engine, over one channel and its companions at one node."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.directory import Directory
from domain.episode import Episode, SubjectKind
from domain.instant import MINUTE_MS, format_duration, to_ms
from domain.places import Channel, Equipment, EquipmentKind, Facility, Node
from domain.quantities import QUANTITIES, Quantity
from domain.reading import Quality, Reading
from rules.conditions.channels import Reach
from rules.engine import Event, Tick
from rules.model import Rule
from rules.notation import parse_series
from rules.trial import Companion, Expected, Trial
from rules.values import Amount, Limit, Reference, milliseconds, shown
from rules.workbench import Workbench

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z, when every trial begins."""
_PLACE, _CHANNEL, _OTHER = "trial", "trial/equipment/channel", "trial/gateway/other"
_ANYTHING = QUANTITIES["temperature"]
_ROUNDING = 1e-9
_SEED = 4


class Found(NamedTuple):
    """An episode that came of a trial, when its first reading was, and whether the episode was told as live."""

    episode: Episode
    start_ms: int
    live: bool


class Outcome(NamedTuple):
    """What came of one trial of one rule."""

    rule: Rule
    trial: Trial
    difference: str
    """What was expected and what came, in words; empty where they agree."""


def prove(rules: Iterable[Rule]) -> Iterator[Outcome]:
    """Yield the outcome of every trial of every rule."""
    for rule in rules:
        for trial in rule.tests:
            yield Outcome(rule, trial, _difference(trial, rule, _judged(trial, rule)))


def _judged(trial: Trial, rule: Rule) -> list[Found]:
    """Return the episodes that the rule makes of the trial, by their start."""
    kind = (*rule.applies_to.equipment, EquipmentKind.GATEWAY)[0]
    cast = [_Role(_channel(trial, rule.quantity or _ANYTHING), kind, trial.readings, trial.unit, trial.delay)]
    cast += (_companion(number, other, trial, kind) for number, other in enumerate(trial.others))
    about_node = rule.applies_to.subject_kind is SubjectKind.NODE
    bench = Workbench([rule], _directory(cast))
    live: set[str] = set()
    for event in _events(trial, cast, others_report=not about_node):
        live |= {change.episode.id for change in bench.arrive(event) if change.live}
    subject = _PLACE if about_node else _CHANNEL
    return [Found(each, _start_ms(trial), each.id in live) for each in bench.in_order() if each.subject == subject]


class _Role(NamedTuple):
    """A channel of the trial, and what it tells."""

    channel: Channel
    kind: EquipmentKind
    readings: str
    unit: str
    delay: timedelta


def _channel(trial: Trial, quantity: Quantity) -> Channel:
    limits = {name: _canonical(limit, quantity) for name, limit in trial.limits.items()}
    return Channel(_CHANNEL, _PLACE, "equipment", _PLACE, "channel", quantity, trial.every, limits)


def _companion(number: int, other: Companion, trial: Trial, subject_kind: EquipmentKind) -> _Role:
    quantity, beside = QUANTITIES[other.of.quantity], other.of.at is Reach.EQUIPMENT
    limits = {name: _canonical(limit, quantity) for name, limit in other.limits.items()}
    equipment = "equipment" if beside else f"equipment-{number}"
    kind = subject_kind if beside else (*other.of.equipment, EquipmentKind.GATEWAY)[0]
    name = f"other-{number}"
    channel = Channel(f"trial/{name}", _PLACE, equipment, _PLACE, name, quantity, trial.every, limits)
    return _Role(channel, kind, other.readings, other.unit, trial.delay if other.delay is None else other.delay)


def _canonical(limit: Amount | Reference, quantity: Quantity) -> float:
    unit = limit.unit_for(quantity) if isinstance(limit, Amount) else None
    if unit is None or not isinstance(limit, Amount):
        raise ValueError(f"{limit} is no {quantity.name}")  # refused where the rule was read
    return unit.to_canonical(limit.number)


def _directory(cast: Sequence[_Role]) -> Directory:
    interval = cast[0].channel.interval
    other = Channel(_OTHER, _PLACE, "gateway", _PLACE, "other", QUANTITIES["queue_depth"], interval)
    equipment = {role.channel.equipment: role.kind for role in cast}
    return Directory(
        facilities=[Facility(_PLACE, "Trial", "", "", "")],
        equipment=[
            *(Equipment(name, _PLACE, kind, "Equipment") for name, kind in equipment.items()),
            Equipment("gateway", _PLACE, EquipmentKind.GATEWAY, "Gateway"),
        ],
        nodes=[Node(_PLACE, _PLACE)],
        channels=[*(role.channel for role in cast), other],
    )


def _start_ms(trial: Trial) -> int:
    return START_MS + (trial.starts.hour * 60 + trial.starts.minute) * MINUTE_MS


def _events(trial: Trial, cast: Sequence[_Role], *, others_report: bool) -> Iterator[Event]:
    """Yield the readings by arrival with a tick a minute; where ``others_report``, only the channel can be silent."""
    every_ms, start_ms = milliseconds(trial.every), _start_ms(trial)
    places = max(len(parse_series(role.readings, role.channel.quantity.states)) for role in cast)
    arriving = _in_disorder(trial, [reading for role in cast for reading in _readings(trial, role)])
    if others_report:
        arriving += [_heartbeat(start_ms + place * every_ms) for place in range(places)]
    arriving.sort(key=lambda reading: reading.received_at_ms)
    tick_ms, end_ms = start_ms, start_ms + places * every_ms
    for reading in arriving:
        while tick_ms <= reading.received_at_ms:
            yield Tick(tick_ms)
            tick_ms += MINUTE_MS
        yield reading
    for now_ms in range(tick_ms, end_ms + 1, MINUTE_MS):
        yield Tick(now_ms)


def _in_disorder(trial: Trial, readings: list[Reading]) -> list[Reading]:
    """Return the readings as they would arrive together, each as often as the trial says."""
    several = sorted(readings, key=lambda each: each.measured_at_ms) * trial.times
    if trial.order == "reversed":
        several.reverse()
    elif trial.order == "shuffled":
        random.Random(_SEED).shuffle(several)  # noqa: S311 - the same disorder each time
    return several


def _readings(trial: Trial, role: _Role) -> Iterator[Reading]:
    every_ms, start_ms, quantity = milliseconds(trial.every), _start_ms(trial), role.channel.quantity
    for place, point in enumerate(parse_series(role.readings, quantity.states)):
        if point is None:
            continue
        measured_ms = start_ms + place * every_ms
        arrives = trial.arrives
        received_ms = measured_ms + milliseconds(role.delay) if arrives is None else start_ms + milliseconds(arrives)
        value = None if point.value is None else _canonical(Amount(point.value, role.unit), quantity)
        yield Reading(role.channel.id, measured_ms, value, point.quality, max(measured_ms, received_ms))


def _heartbeat(moment_ms: int) -> Reading:
    return Reading(_OTHER, moment_ms, 0.0, Quality.GOOD, moment_ms)


def _difference(trial: Trial, rule: Rule, found: Sequence[Found]) -> str:
    quantity = rule.quantity or _ANYTHING
    expected = trial.episodes
    if len(expected) == len(found) and all(
        _agrees(one, came, quantity) for one, came in zip(expected, found, strict=True)
    ):
        return ""
    wanted = "; ".join(_worded(each, quantity) for each in expected)
    came = "; ".join(_worded(_as_expected(each), quantity) for each in found)
    return f"expected {wanted or 'nothing'}; found {came or 'nothing'}"


def _agrees(expected: Expected, found: Found, quantity: Quantity) -> bool:
    came = _as_expected(found)
    return (
        (expected.start, expected.end) == (came.start, came.end)
        and expected.confirmed in (None, came.confirmed)
        and expected.live in (None, came.live)
        and (expected.extreme is None or _same(expected.extreme, found.episode.extreme, quantity))
    )


def _same(limit: Limit, extreme: float | None, quantity: Quantity) -> bool:
    return extreme is not None and abs(_canonical(limit, quantity) - extreme) <= _ROUNDING


def _as_expected(found: Found) -> Expected:
    episode, start_ms = found.episode, found.start_ms
    return Expected(
        start=_after(episode.started_at, start_ms),
        confirmed=_after(episode.confirmed_at, start_ms),
        end=None if episode.ended_at is None else _after(episode.ended_at, start_ms),
        extreme=None if episode.extreme is None else Amount(episode.extreme),
        live=found.live,
    )


def _after(moment: datetime, start_ms: int) -> timedelta:
    return timedelta(milliseconds=to_ms(moment) - start_ms)


def _worded(expected: Expected, quantity: Quantity) -> str:
    parts = [f"from {format_duration(expected.start)}"]
    if expected.confirmed is not None:
        parts.append(f"confirmed at {format_duration(expected.confirmed)}")
    parts.append("going on" if expected.end is None else f"until {format_duration(expected.end)}")
    if expected.extreme is not None:
        parts.append(f"worst {shown(quantity, _canonical(expected.extreme, quantity))}")
    if expected.live is not None:
        parts.append("told at once" if expected.live else "told late")
    return " ".join(parts)
