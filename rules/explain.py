"""Why an episode is one: the readings that begin, confirm, worsen and end it, and what they were judged by. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from domain.directory import Directory
from domain.episode import Episode
from domain.instant import to_ms
from domain.places import Channel
from domain.reading import Reading
from rules.backtest import retry
from rules.compile import Compiler, Level
from rules.conditions.silent_for import SilentFor
from rules.model import Rule
from rules.series import Sample
from rules.settings import EngineSettings
from rules.streak import Point, points_of
from rules.watch import Watch


class Mark(NamedTuple):
    """A moment that made the episode what it is."""

    moment_ms: int
    what: str
    """A few words: ``begins``, ``is confirmed``."""
    readings: tuple[Reading, ...]
    """What was measured then, at any of the channels that were judged."""


class Explanation(NamedTuple):
    """What an episode rests on."""

    inputs: tuple[Channel, ...]
    """The channels that were judged; the first is the one the episode is about."""
    level: Level | None
    """The rule as the engine runs it there; None for a rule on silence."""
    live_ms: int
    """A reading that took longer than this to arrive counts as late."""
    marks: list[Mark]
    readings: int
    """Usable readings of the inputs while it went on."""
    late: int
    """How many of them arrived late."""
    unusable: int
    """Readings without a usable value while it went on."""
    gaps: list[tuple[int, int]]
    """Pauses while it went on in which nobody knows what happened: after which moment, before which one."""
    again: list[Episode]
    """What judging all of it again, in the order of arrival, finds of this rule about this subject at this time."""

    def agrees(self, episode: Episode) -> bool:
        """Tell whether judging again finds the episode as it is stored."""
        return any(
            (each.started_at, each.confirmed_at, each.ended_at)
            == (episode.started_at, episode.confirmed_at, episode.ended_at)
            for each in self.again
        )


def explain(
    episode: Episode,
    rule: Rule,
    directory: Directory,
    readings: Iterable[Reading],
    *,
    now_ms: int,
    settings: EngineSettings,
) -> Explanation:
    """Return what an episode of a rule rests on.

    ``directory`` holds the facility, ``readings`` what its channels stored from well before the episode to well after.
    """
    stored = sorted(readings, key=lambda each: each.measured_at_ms)
    inputs, level, points, live_ms = _judged(episode, rule, directory, stored, settings)
    start_ms, end_ms = to_ms(episode.started_at), now_ms if episode.ended_at is None else to_ms(episode.ended_at)
    names = {channel.id for channel in inputs}
    during = [each for each in stored if each.channel in names and start_ms <= each.measured_at_ms < end_ms]
    usable = [each for each in during if each.value is not None and each.quality.usable]
    first_ms = min((each.received_at_ms for each in stored), default=start_ms)
    retrial = retry(stored, [rule], directory, from_ms=first_ms, to_ms=max(now_ms, end_ms), settings=settings)
    return Explanation(
        inputs=inputs,
        level=level,
        live_ms=live_ms,
        marks=[] if level is None else _marks(episode, level, points, stored, names),
        readings=len(usable),
        late=sum(each.received_at_ms - each.measured_at_ms > live_ms for each in usable),
        unusable=len(during) - len(usable),
        gaps=[] if level is None else _gaps(points, level.gap_ms, start_ms, end_ms),
        again=[
            each for each in retrial.episodes if each.subject == episode.subject and _overlaps(each, start_ms, end_ms)
        ],
    )


def _judged(
    episode: Episode, rule: Rule, directory: Directory, stored: Sequence[Reading], settings: EngineSettings
) -> tuple[tuple[Channel, ...], Level | None, list[Point], int]:
    """Return whose readings were judged, by what, what that makes of them, and how old a live reading may be."""
    compiler = Compiler([rule], directory, settings)
    channel = directory.channels.get(episode.subject)
    if channel is None or isinstance(rule.condition, SilentFor):
        return (channel,) if channel else (), None, [], 0
    plan = compiler.plan(channel)
    if plan.levels:
        samples = _samples(stored, {channel.id: 0})
        pairs = ((moment_ms, value) for moment_ms, _, value in samples)
        return (channel,), plan.levels[0], points_of(plan.levels[0], pairs), plan.live_ms
    for watching, inputs in compiler.watches():
        if inputs[0].id == channel.id:
            watch = Watch(watching, inputs)
            places = {each.id: place for place, each in enumerate(inputs)}
            return tuple(inputs), watching.level, watch.points(0, _samples(stored, places)), watching.live_ms
    return (channel,), None, [], plan.live_ms


def _samples(stored: Iterable[Reading], places: Mapping[str, int]) -> list[Sample]:
    return [
        (each.measured_at_ms, places[each.channel], each.value)
        for each in stored
        if each.channel in places and each.value is not None and each.quality.usable
    ]


def _marks(
    episode: Episode, level: Level, points: Sequence[Point], stored: Sequence[Reading], names: set[str]
) -> list[Mark]:
    start_ms, confirmed_ms = to_ms(episode.started_at), to_ms(episode.confirmed_at)
    moments = [point.moment_ms for point in points]
    before = [moment_ms for moment_ms in moments if moment_ms < start_ms]
    known = [(before[-1], "is the last before it")] if before else []
    known.append((start_ms, "begins it"))
    if (at := next((each for each in moments if each >= confirmed_ms), None)) is not None:
        known.append((at, "confirms it"))
    if episode.extreme_at is not None:
        known.append((to_ms(episode.extreme_at), "is the worst"))
    if episode.ended_at is not None:
        ended_ms = to_ms(episode.ended_at)
        known.append((ended_ms, "ends it"))
        if level.clear_for_ms:
            proof = next((each for each in moments if each >= ended_ms + level.clear_for_ms), None)
            known += [] if proof is None else [(proof, "shows that it stays ended")]
    return [
        Mark(
            moment_ms,
            what,
            tuple(each for each in stored if each.measured_at_ms == moment_ms and each.channel in names),
        )
        for moment_ms, what in sorted(known, key=lambda mark: mark[0])
    ]


def _gaps(points: Sequence[Point], gap_ms: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    inside = [point.moment_ms for point in points if start_ms <= point.moment_ms <= end_ms]
    return [(earlier, later) for earlier, later in pairwise(inside) if later - earlier > gap_ms]


def _overlaps(episode: Episode, start_ms: int, end_ms: int) -> bool:
    begins_before_end = to_ms(episode.started_at) <= end_ms
    return begins_before_end and (episode.ended_at is None or to_ms(episode.ended_at) >= start_ms)
