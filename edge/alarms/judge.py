"""The node's judge: samples in, alarms out, by the engine that also runs at the service. No disk, no clock."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange
from domain.instant import MINUTE_MS, to_datetime
from domain.places import Channel
from domain.reading import Reading, Sample
from domain.units import UNITS_BY_SYMBOL
from edge.alarms.board import Alarm, When
from edge.alarms.records import Record, Telling
from edge.alarms.timeline import Timeline
from rules.conditions.base import Predicate, ValueCondition
from rules.engine import Engine, Tick
from rules.model import Rule

logger = logging.getLogger(__name__)

MOST_OVER = 500
"""Episodes that are over and wait for the link; beyond it the oldest are forgotten. Their readings are not."""
OUT_OF_SIGHT_MS = 15 * MINUTE_MS
"""After such a pause the service takes what was said for old (``EngineSettings.live_horizon``), so it is said anew."""


class LocalJudge:
    """Judges the node's samples; everything it knows of a moment comes in with them."""

    def __init__(
        self, rules: Sequence[Rule], when: Mapping[str, When], directory: Directory, *, timeline: Timeline
    ) -> None:
        self.records: dict[str, Record] = {}
        """By the episode's id on the node's line of time."""
        self.timeline = timeline
        self.is_busy = False
        """Whether some rule was not at rest in the last round, or came to rest in it: then it is worth a write."""
        self._engine = Engine(rules, directory)
        self._when = when
        self._silences = {rule.id for rule in rules if not isinstance(rule.condition, ValueCondition)}
        self._channels = {channel.name: channel for channel in directory.channels.values()}
        self._cleared = {name: list(_cleared(rules, each, directory)) for name, each in self._channels.items()}
        self._newest_ms: dict[str, int] = {}
        self._from_ms = timeline.last_ms
        self._paused: set[str] = set()
        self._changed: dict[str, None] = {}
        self._out_of_order: set[str] = set()
        self._restless: set[str] = set()

    def restore(self, engine: Iterable[tuple[str, bytes]], records: Iterable[Record]) -> None:
        """Go on from what was remembered."""
        self.records = {record.key: record for record in records}
        self._apply(self._engine.restore(engine))

    def engine_state(self) -> list[tuple[str, bytes | None]]:
        """Return what the engine has to remember and changed since the last call."""
        return self._engine.changed_state()

    def changed_records(self) -> list[tuple[str, Record | None]]:
        """Return the records that changed since the last call; None where one is done with."""
        changed = [(key, self.records.get(key)) for key in self._changed]
        self._changed.clear()
        return changed

    def take(self, samples: Iterable[Sample], elapsed_ms: int, wall_ms: int) -> bool:
        """Judge what was just measured; return whether an episode began, changed or ended."""
        now_ms = self.timeline.now_ms(elapsed_ms)
        self.is_busy = False
        changes: list[EpisodeChange] = []
        for sample in samples:
            moment_ms = self.timeline.moment_of(sample.measured_at_ms, elapsed_ms, wall_ms)
            reading = self._reading(sample, moment_ms, now_ms)
            if reading is not None:
                changes += self._engine.step(reading)
        return self._apply(changes)

    def tick(self, elapsed_ms: int) -> bool:
        """Let time pass, for rules on silence; return whether an episode began."""
        return self._apply(self._engine.step(Tick(self.timeline.now_ms(elapsed_ms))))

    def alarms(self) -> list[Alarm]:
        """Return the alarms that go on."""
        return [
            Alarm(record.episode, self._when.get(record.episode.rule, When.LINK_DOWN))
            for record in self.records.values()
            if record.goes_on
        ]

    def to_tell(self, waiting: Collection[str]) -> list[Telling]:
        """Return what the service has to hear now; ``waiting``: keys of what it has not confirmed.

        Rules on silence are not told: silence is judged where somebody listens.
        """
        due = []
        for key, record in self.records.items():
            seen_ms = record.seen_ms(self._newest_ms.get(record.episode.subject))
            if record.episode.rule in self._silences:
                continue
            if record.is_due(seen_ms, waiting=key in waiting, paused=key in self._paused):
                seen_at = to_datetime(self.timeline.wall_ms(seen_ms))
                due.append(Telling(key, record.in_time_of_day(self.timeline.wall_ms), seen_at))
        return due

    def note_told(self, telling: Telling) -> None:
        """Note that the service will hear of it."""
        record = self.records[telling.key]
        record.told_id = telling.episode.id
        record.told_seen_ms = record.seen_ms(self._newest_ms.get(record.episode.subject))
        record.told_end = not record.goes_on
        self._paused.discard(telling.key)
        self._changed[telling.key] = None

    def forget_over(self, needed: Collection[str]) -> None:
        """Forget what is over and told; ``needed``: keys of what somebody with a phone has still to hear."""
        over = [record for record in self.records.values() if not record.goes_on]
        kept = []
        for record in over:
            settled = record.told_end or record.episode.rule in self._silences
            if settled and record.key not in needed:
                self._drop(record.key)
            else:
                kept.append(record.key)
        for key in kept[:-MOST_OVER]:
            logger.warning("too many episodes wait to be told; forgotten: %s", key)
            self._drop(key)

    def in_time_of_day(self, key: str) -> Episode:
        """Return an episode in the time of day, as well as that is known."""
        return self.records[key].in_time_of_day(self.timeline.wall_ms)

    def _drop(self, key: str) -> None:
        del self.records[key]
        self._changed[key] = None

    def _reading(self, sample: Sample, moment_ms: int, now_ms: int) -> Reading | None:
        channel = self._channels.get(sample.name)
        if channel is None:
            return None
        newest_ms = self._newest_ms.get(channel.id, self._from_ms)
        if newest_ms is not None and moment_ms <= newest_ms:
            # The service judges it, by its own means: here, nothing is kept to judge the past again.
            if sample.name not in self._out_of_order:
                logger.warning("%s: a reading older than the last one is not judged on the node", sample.name)
            self._out_of_order.add(sample.name)
            return None
        if moment_ms - self._newest_ms.get(channel.id, 0) > OUT_OF_SIGHT_MS:
            self._paused |= {key for key, each in self.records.items() if each.episode.subject == channel.id}
        self._newest_ms[channel.id] = moment_ms
        value = _canonical(sample, channel)
        self._note_rest(sample.name, value)
        return Reading(channel.id, moment_ms, value, sample.quality, now_ms)

    def _note_rest(self, name: str, value: float | None) -> None:
        if value is None:
            return
        if not all(cleared(value) for cleared in self._cleared[name]):
            self._restless.add(name)
            self.is_busy = True
        elif name in self._restless:
            self._restless.discard(name)
            self.is_busy = True

    def _apply(self, changes: Iterable[EpisodeChange]) -> bool:
        changed = False
        for change in changes:
            key = change.episode.id
            changed = True
            self._changed[key] = None
            if change.kind is ChangeKind.RETRACTED:
                self.records.pop(key, None)
            elif key in self.records:
                self.records[key].episode = change.episode
            else:
                self.records[key] = Record(change.episode)
        return changed


def _cleared(rules: Iterable[Rule], channel: Channel, directory: Directory) -> Iterable[Predicate]:
    for rule in rules:
        if rule.applies_to.selects(channel, directory) and isinstance(rule.condition, ValueCondition):
            band = rule.condition.band(channel)
            if band is not None:
                yield band.cleared


def _canonical(sample: Sample, channel: Channel) -> float | None:
    """Return the value in the canonical unit; None for one in a unit of something else, as for no value."""
    if sample.value is None or sample.unit is None:
        return sample.value
    unit = UNITS_BY_SYMBOL.get(sample.unit)
    if unit is None or unit.canonical != channel.quantity.unit.name:
        return None
    return unit.to_canonical(sample.value)
