"""What rules would have found: stored readings, judged in the order in which they once arrived. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from typing import NamedTuple

from domain.directory import Directory
from domain.episode import Episode, EpisodeChange
from domain.instant import DAY_MS, MINUTE_MS, to_ms
from domain.reading import Reading
from rules.engine import Tick
from rules.model import Rule
from rules.settings import EngineSettings
from rules.values import milliseconds
from rules.workbench import Workbench


class Told(NamedTuple):
    """A change of an episode, and the moment on the service's clock at which it would have been told."""

    at_ms: int
    change: EpisodeChange


class Retrial(NamedTuple):
    """What rules make of the readings of some channels."""

    told: list[Told]
    episodes: list[Episode]
    """As they stand at the end, by start."""
    readings: int


def retry(
    readings: Iterable[Reading],
    rules: Sequence[Rule],
    directory: Directory,
    *,
    from_ms: int,
    to_ms: int,
    tick_ms: int = MINUTE_MS,
    settings: EngineSettings | None = None,
) -> Retrial:
    """Judge readings that arrived in [from, to); the clock ticks on to ``to_ms``.

    ``directory`` holds what the rules are to judge: a facility is enough, for no rule looks beyond one.
    """
    bench, told, count = Workbench(rules, directory, settings), list[Told](), 0
    tick = _Ticks(from_ms, tick_ms)
    for reading in sorted(readings, key=lambda each: each.received_at_ms):
        for now_ms in tick.until(reading.received_at_ms):
            told += (Told(now_ms, change) for change in bench.arrive(Tick(now_ms)))
        told += (Told(reading.received_at_ms, change) for change in bench.arrive(reading))
        count += 1
    for now_ms in tick.until(to_ms):
        told += (Told(now_ms, change) for change in bench.arrive(Tick(now_ms)))
    return Retrial(told, list(bench.in_order()), count)


class _Ticks:
    def __init__(self, from_ms: int, tick_ms: int) -> None:
        self._next_ms, self._tick_ms = from_ms, tick_ms

    def until(self, moment_ms: int) -> Iterator[int]:
        while self._next_ms <= moment_ms:
            yield self._next_ms
            self._next_ms += self._tick_ms


def begins_ms(rules: Iterable[Rule], from_ms: int) -> int:
    """Return where judging has to begin so that at a moment all that is running is known: timers, windows, totals."""
    known = list(rules)
    longest_ms = max((milliseconds(rule.when.longest) for rule in known), default=0)
    since = [rule.when.since for rule in known]
    # A day before, since nobody's midnight is further away.
    counted = [to_ms(datetime.combine(day, time(), UTC)) - DAY_MS for day in since if day is not None]
    return min([from_ms - 2 * longest_ms, *counted])


class Compared(NamedTuple):
    """How two sets of rules differ in what they find."""

    gone: list[Episode]
    """Found by the first alone."""
    new: list[Episode]
    """Found by the second alone."""
    changed: list[tuple[Episode, Episode]]
    """The same rule and subject, overlapping, with another start, confirmation or end."""
    same: int


def compare(first: Iterable[Episode], second: Iterable[Episode]) -> Compared:
    """Return the difference; an episode of one is paired with the first of the other that shares time with it."""
    left = list(second)
    gone: list[Episode] = []
    pairs: list[tuple[Episode, Episode]] = []
    for episode in first:
        partner = next((other for other in left if _shares_time(episode, other)), None)
        if partner is None:
            gone.append(episode)
        else:
            left.remove(partner)
            pairs.append((episode, partner))
    changed = [pair for pair in pairs if _span(pair[0]) != _span(pair[1])]
    return Compared(gone, left, changed, len(pairs) - len(changed))


def _shares_time(one: Episode, other: Episode) -> bool:
    if (one.rule, one.subject) != (other.rule, other.subject):
        return False
    begins_before_end = other.ended_at is None or one.started_at < other.ended_at
    return begins_before_end and (one.ended_at is None or other.started_at < one.ended_at)


def _span(episode: Episode) -> tuple[object, ...]:
    return episode.started_at, episode.confirmed_at, episode.ended_at
