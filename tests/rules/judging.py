"""A small world to judge in: a registry, rules from text, and a store made of dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from textwrap import dedent

from app.documents import parse_document
from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange
from domain.instant import MINUTE_MS, to_ms
from domain.places import Channel, Equipment, EquipmentKind, Facility, Node
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from rules.amendment import Ask
from rules.engine import Engine, Event
from rules.loader import load_rules
from rules.model import Rule
from rules.settings import EngineSettings
from rules.signals import Scope
from rules.workbench import Workbench

START_MS = 1_700_000_040_000
"""A whole minute in November 2023."""


def rules_of(text: str) -> list[Rule]:
    """Return the rules that the YAML text defines."""
    return load_rules(parse_document(dedent(text), "rules.yaml"))


def one_rule(when: str, *, applies_to: str = "{quantity: temperature}", rule: str = "warm") -> list[Rule]:
    """Return a document's single rule with this condition."""
    return rules_of(
        f"""
        rules:
          - id: {rule}
            title: A rule
            severity: critical
            applies_to: {applies_to}
            when: {when}
        """
    )


def channel(
    name: str = "probe",
    quantity: str = "temperature",
    *,
    equipment: str = "fridge-1",
    interval: timedelta = timedelta(minutes=1),
    limits: Mapping[str, float] | None = None,
    node: str = "pi-1",
) -> Channel:
    """Return a channel of the one facility."""
    return Channel(name, "clinic", equipment, node, name, QUANTITIES[quantity], interval, limits or {})


def directory_of(*channels: Channel, nodes: Sequence[str] = ("pi-1",), timezone: str = "UTC") -> Directory:
    """Return a registry with one facility, a fridge, a mains supply and these channels."""
    return Directory(
        facilities=[Facility("clinic", "Clinic", "UG", "West", "Kasese", timezone)],
        equipment=[
            Equipment("fridge-1", "clinic", EquipmentKind.FRIDGE, "Fridge 1"),
            Equipment("mains-1", "clinic", EquipmentKind.MAINS, "Mains"),
        ],
        nodes=[Node(node, "clinic") for node in nodes],
        channels=channels or [channel()],
    )


def reading(
    minute: float, value: float | None, *, name: str = "probe", quality: Quality = Quality.GOOD, delay_min: float = 0
) -> Reading:
    """Return a reading measured so many minutes after the start."""
    measured_ms = START_MS + round(minute * MINUTE_MS)
    return Reading(name, measured_ms, value, quality, measured_ms + round(delay_min * MINUTE_MS))


def readings(values: Iterable[float | None], *, first: float = 0, every: float = 1) -> list[Reading]:
    """Return readings at a steady pace; None stands for one that never came."""
    return [reading(first + index * every, value) for index, value in enumerate(values) if value is not None]


def says(rule: Rule, readings: Iterable[Reading], at: float, directory: Directory | None = None) -> bool | None:
    """Return what the condition of a rule says so many minutes after the start, of the first channel it judges."""
    *_, (_, holds) = _said(rule, [*readings], directory or directory_of(), START_MS + round(at * MINUTE_MS))
    return holds


def truths(rule: Rule, readings: Iterable[Reading], directory: Directory | None = None) -> list[bool | None]:
    """Return what the condition of a rule says at each moment of some readings, in order of time."""
    return [holds for _, holds in _said(rule, [*readings], directory or directory_of())]


def _said(
    rule: Rule, readings: Sequence[Reading], directory: Directory, at_ms: int | None = None
) -> Iterator[tuple[int, bool | None]]:
    scope = Scope(rule.applies_to.judged(directory)[0], directory, EngineSettings())
    signal = rule.when.signal_of(scope.subject, scope)
    assert signal is not None, "the rule judges nothing here"
    places = {each.id: place for place, each in enumerate(scope.inputs)}
    tracker = signal.start()
    moments = sorted({each.measured_at_ms for each in readings} | ({at_ms} if at_ms is not None else set()))
    for moment_ms in moments:
        for each in readings:
            if each.measured_at_ms == moment_ms and each.value is not None:
                tracker.take(places[each.channel], moment_ms, each.value)
        yield moment_ms, tracker.truth(moment_ms)


def minute(moment: object) -> float | None:
    """Return a datetime as minutes after the start."""
    return None if moment is None else (to_ms(moment) - START_MS) / MINUTE_MS  # type: ignore[arg-type]  # a datetime


def figures(episode: Episode) -> tuple[object, ...]:
    """Return what must not depend on the order of arrival; moments in minutes after the start."""
    return (
        episode.rule,
        episode.subject,
        minute(episode.started_at),
        minute(episode.confirmed_at),
        minute(episode.ended_at),
        episode.extreme,
        minute(episode.extreme_at),
    )


class World(Workbench):
    """A workbench that remembers what was asked for, and can be started again from a snapshot."""

    def __init__(
        self, rules: Sequence[Rule], directory: Directory | None = None, settings: EngineSettings | None = None
    ) -> None:
        self.rules, self.directory, self.settings = rules, directory or directory_of(), settings or EngineSettings()
        super().__init__(rules, self.directory, self.settings)
        self.snapshot: dict[str, bytes] = {}
        self.asked: list[Ask] = []

    def arrive(self, *events: Event) -> list[EpisodeChange]:
        """Store a batch, judge it and keep what the engine wants remembered."""
        changes = super().arrive(*events)
        self.save()
        return changes

    def step_only(self, *readings: Reading) -> None:
        """Store readings and take them, and leave history as it is, as when the service ends in between."""
        for each in readings:
            self.store(each)
            for change in self.engine.step(each):
                self._apply(change)
        self.save()

    def save(self) -> None:
        """Take over what the engine wants remembered."""
        for key, blob in self.engine.changed_state():
            if blob is None:
                self.snapshot.pop(key, None)
            else:
                self.snapshot[key] = blob

    def restart(self, rules: Sequence[Rule] | None = None) -> list[EpisodeChange]:
        """Go on with a new engine that knows only the snapshot."""
        self.rules = self.rules if rules is None else rules
        self.engine = Engine(self.rules, self.directory, settings=self.settings)
        changes = self.engine.restore(self.snapshot.items())
        for change in changes:
            self._apply(change)
        return changes

    def outcome(self) -> list[tuple[object, ...]]:
        """Return the figures of every episode; the extreme of one that goes on comes from the engine's memory."""
        return sorted((figures(episode) for episode in self.episodes.values()), key=repr)

    def _series(self, ask: Ask) -> list[Reading]:
        self.asked.append(ask)
        return super()._series(ask)

    def _apply(self, change: EpisodeChange) -> None:
        if change.kind is not ChangeKind.OPENED:
            assert change.episode.id in self.episodes, f"{change.kind} before it was opened"
        super()._apply(change)
