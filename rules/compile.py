"""From rules and the registry to what the engine runs: every limit a number, every duration milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from domain.directory import Directory
from domain.episode import Severity
from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Past, Predicate, ValueCondition, bands_of
from rules.conditions.silent_for import SilentFor
from rules.model import Rule
from rules.settings import EngineSettings
from rules.signals import NEVER, Scope, Signal
from rules.values import milliseconds

WORSE_BY_DECIMALS = 1
"""An extreme is worth telling again when it moved by this many of the last decimals that people are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A rule on values as the engine runs it; channels with equal limits and intervals share one."""

    rule: str
    kind: str
    severity: Severity
    holds: Predicate
    cleared: Predicate
    excess: Callable[[float], float] | None
    for_ms: int
    clear_for_ms: int
    gap_ms: int
    """A pause longer than this is a gap."""
    worse_by: float
    past: Past = ()
    """What was asked while other limits were in force."""
    since_ms: int = NEVER
    """From when on the predicates above are what is asked."""

    def sees(self, moment_ms: int, value: float) -> tuple[bool, bool] | None:
        """Tell whether a value of a moment holds, and whether it clears, by the limits of its time; None if unknown."""
        if moment_ms >= self.since_ms:
            holds = self.holds(value)
            return holds, not holds and self.cleared(value)
        band = next(band for until_ms, band in self.past if moment_ms < until_ms)
        return None if band is None else (band.holds(value), band.cleared(value))


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """A rule that looks at more than one value, as the engine runs it; channels that are asked the same share one."""

    level: Level
    """What its answers come to; its predicates are never asked."""
    signal: Signal
    paces: tuple[tuple[int, int], ...]
    """Of each input the interval and the longest pause that is no gap, in milliseconds."""
    live_ms: int
    asked: tuple[object, ...]
    """Equal where the same is asked of channels that are alike, so that what one tracker took serves the other."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A rule on silence as the engine runs it."""

    rule: str
    severity: Severity
    for_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything that is asked of one channel; channels that are asked the same share one."""

    levels: tuple[Level, ...]
    silences: tuple[Silence, ...]
    live_ms: int
    """A reading that took longer than this to arrive is late."""


def worse_by(quantity: Quantity) -> float:
    """Return by how much an extreme has to move to be told again: 0.1 °C, 1 %, 0.1 V, 0.01 bar."""
    return float(WORSE_BY_DECIMALS * 10.0**-quantity.decimals * quantity.shown_as.scale)


def live_ms(interval: timedelta, settings: EngineSettings) -> int:
    """Return how long after its measurement a reading of such a channel still counts as live."""
    return milliseconds(max(settings.live_horizon, interval * settings.live_intervals))


class Compiler:
    """Compiles channel by channel and shares what is equal."""

    def __init__(self, rules: Iterable[Rule], directory: Directory, settings: EngineSettings) -> None:
        self._rules = tuple(rules)
        self._directory = directory
        self._settings = settings
        self._levels: dict[tuple[object, ...], Level] = {}
        self._watchings: dict[tuple[object, ...], Watching] = {}
        self._plans: dict[tuple[object, ...], Plan] = {}

    def plan(self, channel: Channel) -> Plan:
        """Return what is asked of the channel; a rule whose limit the registry lacks asks nothing."""
        chosen = [rule for rule in self._rules if rule.applies_to.selects(channel, self._directory)]
        levels = tuple(level for rule in chosen if (level := self._level(rule, channel)) is not None)
        silences = tuple(_silence(rule) for rule in chosen if isinstance(rule.condition, SilentFor))
        live = live_ms(channel.interval, self._settings)
        return self._plans.setdefault((levels, silences, live), Plan(levels, silences, live))

    def node_silences(self) -> tuple[Silence, ...]:
        """Return what is asked of every node."""
        return tuple(
            _silence(rule) for rule in self._rules if rule.applies_to.node and isinstance(rule.condition, SilentFor)
        )

    def _level(self, rule: Rule, channel: Channel) -> Level | None:
        condition = rule.condition
        bands = bands_of(condition.band, channel) if isinstance(condition, ValueCondition) else None
        if bands is None or not isinstance(condition, ValueCondition):
            return None
        band = bands.now
        past = tuple((until_ms, each and each.key) for until_ms, each in bands.past)
        key = (rule.id, band.key, past, channel.quantity.name, channel.interval)
        if key not in self._levels:
            self._levels[key] = Level(
                rule=rule.id,
                kind=rule.when.kind,
                severity=rule.severity,
                holds=band.holds,
                cleared=band.cleared,
                excess=band.excess,
                for_ms=milliseconds(condition.duration),
                clear_for_ms=milliseconds(rule.when.clear_for),
                gap_ms=round(milliseconds(channel.interval) * self._settings.gap_factor),
                worse_by=worse_by(channel.quantity),
                past=bands.past,
                since_ms=bands.past[-1][0] if bands.past else NEVER,
            )
        return self._levels[key]

    def watches(self) -> Iterator[tuple[Watching, list[Channel]]]:
        """Yield what each rule that looks at more asks of which channels; the first is the one that is judged."""
        for rule in self._rules:
            if isinstance(rule.condition, ValueCondition | SilentFor):
                continue
            for channel in rule.applies_to.judged(self._directory):
                scope = Scope(channel, self._directory, self._settings)
                signal = rule.when.signal_of(channel, scope)
                if signal is not None:
                    yield self._watching(rule, signal, scope), scope.inputs

    def _watching(self, rule: Rule, signal: Signal, scope: Scope) -> Watching:
        subject = scope.subject
        inputs = tuple(
            (
                each.quantity.name,
                each.interval,
                tuple(sorted(each.limits.items())),
                tuple((era.until_ms, tuple(sorted(era.limits.items()))) for era in each.past_limits),
                each.equipment == subject.equipment,
                self._directory.equipment[each.equipment].kind if each.equipment in self._directory.equipment else None,
            )
            for each in scope.inputs
        )
        key = (rule.id, scope.timezone, inputs)
        if key not in self._watchings:
            gaps = [scope.gap_ms(each) for each in scope.inputs]
            level = Level(
                rule=rule.id,
                kind=rule.when.kind,
                severity=rule.severity,
                holds=_never,
                cleared=_never,
                excess=_EXCESS[signal.sign],
                for_ms=milliseconds(rule.when.duration),
                clear_for_ms=milliseconds(rule.when.clear_for),
                gap_ms=max(gaps),
                worse_by=worse_by(subject.quantity),
            )
            paces = tuple(zip(map(scope.interval_ms, scope.inputs), gaps, strict=True))
            live = max(live_ms(each.interval, self._settings) for each in scope.inputs)
            self._watchings[key] = Watching(level, signal, paces, live, (rule.when, *key))
        return self._watchings[key]


_EXCESS: dict[int, Callable[[float], float] | None] = {1: lambda value: value, -1: lambda value: -value, 0: None}


def _never(value: float) -> bool:
    del value
    return False


def _silence(rule: Rule) -> Silence:
    return Silence(rule.id, rule.severity, milliseconds(rule.when.lasting))
