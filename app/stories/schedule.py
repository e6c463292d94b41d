"""From the steps of a story to what happens when: messages that arrive, restarts, people who answer. Pure."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.stories.story import (
    Acknowledge,
    Close,
    Help,
    Maintenance,
    Payload,
    Readings,
    Restart,
    Shelve,
    Silent,
    Step,
    Told,
    Unreachable,
    Unshelve,
    Wait,
    Writes,
)
from domain.directory import Directory
from domain.episode import Episode, Severity, SubjectKind, episode_id
from domain.episode_event import EpisodeEvent
from domain.instant import to_datetime
from domain.reading import Batch, Sample
from domain.senml import WireFormat, encode
from domain.topics import UpLane
from rules.notation import Point

EPOCH = "story"
BACKLOG_BATCH = 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message reaches the service."""

    at_ms: int
    node: str
    lane: UpLane
    payload: bytes
    receipted: bool = True
    """Whether it carries an identity, so that a receipt follows."""
    held: bool = False
    """Whether it had to wait somewhere: what is new then comes before it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The service is away from ``at_ms`` to ``until_ms``."""

    at_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody takes an alert."""

    at_ms: int
    alert: int
    by: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """Messages to a contact fail from ``at_ms`` to ``until_ms``."""

    at_ms: int
    contact: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody does something else with alerts, or announces it: what the step says."""

    at_ms: int
    step: Writes | Help | Shelve | Unshelve | Close | Maintenance
    starts_ms: int
    """Of a maintenance."""


Event = Arrival | Stop | Answer | Unreached | Deed


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that happens, in order, and the moment at which the story ends."""

    events: Sequence[Event]
    end_ms: int


def schedule(start_ms: int, steps: Sequence[Step], directory: Directory) -> Schedule:
    """Return the steps as events in order of time; steps of one moment keep the order of the file."""
    plan = _Plan(start_ms, directory)
    for step in steps:
        plan.add(step)
    return plan.finished()


class _Plan:
    def __init__(self, start_ms: int, directory: Directory) -> None:
        self._start_ms = self._at_ms = self._end_ms = start_ms
        self._directory = directory
        self._seqs: defaultdict[str, int] = defaultdict(int)
        self._events: list[Event] = []
        self._silences: list[tuple[str, int, int]] = []

    def add(self, step: Step) -> None:
        """Take the next step."""
        begin_ms = self._at_ms if step.at is None else self._start_ms + _ms(step.at)
        self._at_ms = begin_ms + self._take(step, begin_ms)
        self._end_ms = max(self._end_ms, self._at_ms)

    def finished(self) -> Schedule:
        """Return the events, those held back that arrive while a node or the service is away."""
        events = [self._held(event) for event in self._events]
        order = sorted(events, key=lambda event: (event.at_ms, isinstance(event, Arrival) and event.held))
        return Schedule(order, max([self._end_ms, *(event.at_ms for event in events)]))

    def _take(self, step: Step, begin_ms: int) -> int:
        """Note what the step makes happen and return how long it lasts in milliseconds."""
        match step:
            case Readings():
                return self._measure(step, begin_ms)
            case Payload(node=node, lane=lane, payload=payload):
                self._events.append(Arrival(begin_ms, node, UpLane(lane), payload.encode(), receipted=False))
                return 0
            case Told():
                node = self._channel(step.told.of)[0]
                self._events.append(Arrival(begin_ms, node, UpLane.EVENT, self._event(step, node, begin_ms)))
                return 0
            case Silent(silent=node, lasts=lasts):
                self._silences.append((node, begin_ms, begin_ms + _ms(lasts)))
                self._end_ms = max(self._end_ms, begin_ms + _ms(lasts))
                return 0
            case Restart(restart=away):
                self._events.append(Stop(begin_ms, begin_ms + _ms(away)))
                return _ms(away)
            case Acknowledge(acknowledge=alert, by=by):
                self._events.append(Answer(begin_ms, alert, by))
                return 0
            case Unreachable() | Writes() | Help() | Shelve() | Unshelve() | Close() | Maintenance():
                self._events.append(self._of_people(step, begin_ms))
                return 0
            case Wait(wait=duration):
                return _ms(duration)
        raise AssertionError(step)

    def _of_people(
        self, step: Unreachable | Writes | Help | Shelve | Unshelve | Close | Maintenance, begin_ms: int
    ) -> Unreached | Deed:
        match step:
            case Unreachable(unreachable=contact, lasts=lasts):
                return Unreached(begin_ms, contact, begin_ms + _ms(lasts))
            case Maintenance(starts=starts) if starts is not None:
                return Deed(begin_ms, step, self._start_ms + _ms(starts))
            case _:
                return Deed(begin_ms, step, begin_ms)

    def _measure(self, step: Readings, begin_ms: int) -> int:
        node, name, interval = self._channel(step.of)
        every_ms = _ms(step.every or interval)
        points, lasts_ms = _points(step, begin_ms, every_ms)
        size = step.batch or (1 if step.arrives is None else BACKLOG_BATCH)
        messages = []
        for first in range(0, len(points), size):
            part = points[first : first + size]
            arrives_ms = part[-1][0] + _ms(step.delay)
            if step.arrives is not None:
                arrives_ms = self._start_ms + _ms(step.arrives)
            lane = UpLane.LIVE if step.arrives is None else UpLane.BACKFILL
            payload = self._payload(step, node, name, part)
            messages += [Arrival(arrives_ms, node, lane, payload)] * step.times
        if step.order == "reversed":
            messages.reverse()
        elif step.order == "shuffled":
            random.Random(begin_ms).shuffle(messages)  # noqa: S311 - the same disorder each time
        self._events += messages
        return lasts_ms

    def _payload(self, step: Readings, node: str, name: str, points: Sequence[tuple[int, Point]]) -> bytes:
        self._seqs[node] += 1
        ahead_ms = _ms(step.clock)
        samples = (
            Sample(name, moment_ms + ahead_ms, point.value, point.quality, step.unit) for moment_ms, point in points
        )
        batch = Batch(node, EPOCH, self._seqs[node], tuple(samples))
        return encode(batch, format=WireFormat(step.format))

    def _event(self, step: Told, node: str, begin_ms: int) -> bytes:
        self._seqs[node] += 1
        told = step.told
        start_ms = self._start_ms + _ms(told.start)
        episode = Episode(
            id=episode_id(told.rule, told.of, start_ms),
            rule=told.rule,
            severity=Severity.WARNING,
            subject_kind=SubjectKind.CHANNEL,
            subject=told.of,
            facility="",
            started_at=to_datetime(start_ms),
            confirmed_at=to_datetime(self._start_ms + _ms(told.confirmed)),
            ended_at=None if told.end is None else to_datetime(self._start_ms + _ms(told.end)),
            extreme=told.extreme,
            extreme_at=None if told.extreme is None else to_datetime(start_ms),
        )
        seen_ms = begin_ms if step.seen is None else self._start_ms + _ms(step.seen)
        return EpisodeEvent(f"{EPOCH}-events", self._seqs[node], episode, to_datetime(seen_ms)).encode()

    def _channel(self, of: str) -> tuple[str, str, timedelta]:
        channel = self._directory.channels.get(of)
        if channel is not None:
            return channel.node, channel.name, channel.interval
        node, _, name = of.partition(" ")
        if not name:
            raise ValueError(f"the registry has no channel {of!r}; one that is meant to be unknown is 'NODE NAME'")
        return node, name, timedelta(minutes=1)

    def _held(self, event: Event) -> Event:
        if not isinstance(event, Arrival):
            return event
        for node, from_ms, to_ms in self._silences:
            if node == event.node and from_ms <= event.at_ms < to_ms:
                lane = event.lane if event.lane is UpLane.EVENT else UpLane.BACKFILL
                event = replace(event, at_ms=to_ms, lane=lane, held=True)
        for stop in self._events:
            if isinstance(stop, Stop) and stop.at_ms <= event.at_ms < stop.until_ms:
                event = replace(event, at_ms=stop.until_ms, held=True)
        return event


def _points(step: Readings, begin_ms: int, every_ms: int) -> tuple[list[tuple[int, Point]], int]:
    """Return the points with their moments, and how long the step lasts."""
    placed = [(begin_ms + index * every_ms, point) for index, point in enumerate(step.readings)]
    lasts_ms = len(step.readings) * every_ms
    for offset, points in step.rows:
        placed += [(begin_ms + _ms(offset) + index * every_ms, point) for index, point in enumerate(points)]
        lasts_ms = max(lasts_ms, _ms(offset) + len(points) * every_ms)
    return [(moment_ms, point) for moment_ms, point in placed if point is not None], lasts_ms


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
