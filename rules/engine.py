"""The engine: readings and ticks in, changes of episodes out. Pure: no I/O, no clock, no asyncio.

Two clocks (docs/rules.md): conditions on values run on event time, channel by channel; silence runs on arrival.
What the engine needs of the past it asks for (``stale``, ``amendment``, ``amend``); what it has to remember it hands
out (``changed_state``) and takes back (``restore``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange, SubjectKind
from domain.places import Channel
from domain.reading import Quality, Reading
from rules import memory
from rules.amendment import Amendment, Stale
from rules.compile import Compiler, live_ms
from rules.model import Rule
from rules.revise import revise
from rules.series import ChannelState, NodeState, in_order, late
from rules.settings import EngineSettings
from rules.signals import NEVER
from rules.silence import SilenceWatch, Subject, note_heard
from rules.values import milliseconds
from rules.watch import WATCH_KEY, Watch

_CLOCK_KEY = "engine"
_CHANNEL_KEY = "channel:"
_NODE_KEY = "node:"


class Tick(NamedTuple):
    """The service's clock moved; silence needs it."""

    now_ms: int


Event = Reading | Tick


class Engine:
    """Judges readings by rules; everything it knows of a moment comes in with the events."""

    def __init__(self, rules: Iterable[Rule], directory: Directory, *, settings: EngineSettings | None = None) -> None:
        self.too_late = 0
        """How many out-of-order readings were older than ``settings.amend_within`` and so were not judged."""
        self._settings = settings or EngineSettings()
        self._amend_ms = milliseconds(self._settings.amend_within)
        self._now_ms = NEVER
        self._resumed_from_ms: int | None = None
        self._forgotten: list[str] = []
        self._clock_changed = False
        self._build(rules, directory)

    def step(self, event: Event) -> list[EpisodeChange]:
        """Return what one reading or one tick changes; readings of unregistered channels change nothing."""
        if isinstance(event, Tick):
            return self._tick(event.now_ms)
        state = self._channels.get(event.channel)
        if state is None:
            return []
        value, moment_ms = event.value, event.measured_at_ms
        usable = value is not None and event.quality <= Quality.UNCERTAIN
        changes = self._hear(state, event.received_at_ms, usable=usable)
        if value is None or not usable:
            return changes
        if state.watches:
            changes += self._watch(state.watches, event, value)
        if moment_ms > state.last_ms:
            changes += in_order(state, moment_ms, value, live=event.received_at_ms - moment_ms <= state.plan.live_ms)
        elif event.received_at_ms - moment_ms > self._amend_ms:
            self.too_late += 1
        elif late(state, moment_ms, value):
            self._stale[event.channel] = state
        return changes

    def stale(self) -> list[Stale]:
        """Return what has to be judged again, since late readings came, or what it needs of the past is not at hand."""
        return [
            Stale(
                key,
                state.channel.id,
                min((window.from_ms for window in (state.stale or {}).values()), default=state.last_ms),
                max((window.to_ms for window in (state.stale or {}).values()), default=state.last_ms),
            )
            for key, state in self._stale.items()
        ]

    def amendment(self, stale: Stale) -> Amendment:
        """Return what asks for the stored readings that judging this history again needs."""
        return Amendment(self._stale[stale.key])

    def amend(self, amendment: Amendment, episodes: Sequence[Episode]) -> list[EpisodeChange]:
        """Return the changes that late readings make to history, once ``amendment.ask()`` returned None.

        ``episodes``: those stored for the channel that overlap ``amendment.span``, with every change told so far
        applied; others do no harm. Where readings of the channel came after the amendment began, nothing happens and
        the channel stays stale.
        """
        state = self._stale.get(amendment.key)
        if state is None or not amendment.is_current(state):
            return []
        now_ms, horizon_ms = self._now_ms, state.live_ms

        def is_live(moment_ms: int) -> bool:
            return now_ms - moment_ms <= horizon_ms

        changes: list[EpisodeChange] = []
        for index, verdict in amendment.judge(is_live).items():
            changes += revise(state, index, verdict, episodes, is_live)
        if amendment.latest is not None:
            state.settle(amendment.latest)
        state.stale = None
        del self._stale[amendment.key]
        self._touch(state)
        if isinstance(state, Watch):
            changes += state.go_on(now_ms)
        return changes

    def changed_state(self) -> list[tuple[str, bytes | None]]:
        """Return what has to be remembered and changed since the last call; None where an entry is to be deleted."""
        changed: list[tuple[str, bytes | None]] = [(key, None) for key in self._forgotten]
        self._forgotten.clear()
        if self._clock_changed:
            changed.append((_CLOCK_KEY, memory.encode_clock(self._now_ms, self._silence.watching_since_ms)))
            self._clock_changed = False
        for subject in self._changed:
            subject.dirty = False
            changed.append(_entry(subject))
        self._changed.clear()
        return changed

    def restore(self, items: Iterable[tuple[str, bytes]]) -> list[EpisodeChange]:
        """Go on from what ``changed_state`` handed out in earlier lives; call it before the first step.

        Returns the ends of open episodes whose rule or subject is gone. Raises ``SnapshotError`` for foreign entries.
        """
        changes = self._load(items)
        self._resumed_from_ms = self._now_ms
        return changes

    def shift_clock(self, by_ms: int, now_ms: int) -> None:
        """Go on where the service's clock was set on by this much (back where negative) and now shows ``now_ms``.

        Whoever was heard of five minutes ago still was. What runs on event time is not concerned.
        """
        if self._now_ms != NEVER:
            self._now_ms = min(self._now_ms + by_ms, now_ms)
            self._clock_changed = True
        if self._resumed_from_ms is not None:
            self._resumed_from_ms = min(self._resumed_from_ms + by_ms, now_ms)
        self._silence.shift_clock(by_ms, now_ms)
        for subject in self._subjects():
            subject.shift_clock(by_ms, now_ms)
            self._touch(subject)

    def replace_rules(self, rules: Iterable[Rule], directory: Directory) -> list[EpisodeChange]:
        """Judge by other rules or another registry from now on, keeping what is remembered.

        A rule whose id and kind stay keeps its timers and its open episodes, which end by the new definition; open
        episodes of rules, channels and nodes that are gone are returned as ended.
        """
        items = [_entry(subject) for subject in self._subjects()]
        watching_since_ms, before = self._silence.watching_since_ms, self._watches
        self._build(rules, directory)
        self._silence.watching_since_ms = watching_since_ms
        changes = self._load(items, before)
        for subject in self._subjects():
            self._touch(subject)
        return changes

    def _build(self, rules: Iterable[Rule], directory: Directory) -> None:
        compiler = Compiler(rules, directory, self._settings)
        self._changed: list[Subject | Watch] = []
        self._stale: dict[str, ChannelState | Watch] = {}
        self._silence = SilenceWatch()
        self._node_silences = compiler.node_silences()
        self._nodes = {
            node.id: NodeState(node.id, node.facility, self._away_ms(directory, node.id))
            for node in directory.nodes.values()
        }
        self._channels: dict[str, ChannelState] = {}
        for channel in directory.channels.values():
            node_state = self._nodes.get(channel.node) or _unregistered(channel)
            self._channels[channel.id] = ChannelState(channel, compiler.plan(channel), node_state)
        self._watches: dict[str, Watch] = {}
        self._waiting: dict[str, Watch] = {}
        for watching, inputs in compiler.watches():
            watch = Watch(watching, inputs)
            self._watches[watch.key] = watch
            for place, channel in enumerate(inputs):
                fed = self._channels[channel.id]
                fed.watches = (*fed.watches, (watch, place))
        self._watch_all()

    def _watch(self, watches: Iterable[tuple[Watch, int]], reading: Reading, value: float) -> list[EpisodeChange]:
        """Give a reading to the rules that look at more than it."""
        changes: list[EpisodeChange] = []
        moment_ms, age_ms = reading.measured_at_ms, reading.received_at_ms - reading.measured_at_ms
        for watch, place in watches:
            if moment_ms <= watch.last_ms and age_ms > self._amend_ms:
                continue
            changes += watch.take(place, moment_ms, value, live=age_ms <= watch.live_ms, now_ms=self._now_ms)
            if not watch.dirty:
                self._touch(watch)
            if watch.is_halted:
                self._stale[watch.key] = watch
            if watch.waiting:
                self._waiting[watch.key] = watch
        return changes

    def _go_on(self) -> list[EpisodeChange]:
        """Judge what has waited long enough for readings of other channels."""
        changes: list[EpisodeChange] = []
        for key, watch in list(self._waiting.items()):
            known = watch.last_ms
            changes += watch.go_on(self._now_ms)
            if not watch.waiting:
                del self._waiting[key]
            if watch.last_ms != known:
                self._touch(watch)
        return changes

    def _away_ms(self, directory: Directory, node: str) -> int:
        intervals = [channel.interval for channel in (directory.channels_of_node(node) or {}).values()]
        return live_ms(min(intervals), self._settings) if intervals else milliseconds(self._settings.live_horizon)

    def _watch_all(self) -> None:
        self._silence.forget_all()
        for node in self._nodes.values():
            self._silence.watch(node, self._node_silences)
        for channel in self._channels.values():
            self._silence.watch(channel, channel.plan.silences)

    def _load(
        self, items: Iterable[tuple[str, bytes]], before: Mapping[str, Watch] = MappingProxyType({})
    ) -> list[EpisodeChange]:
        """Remember again; ``before``: the watches until now, whose readings need not be read once more."""
        ended: list[Episode] = []
        for key, blob in items:
            parts = memory.decode(key, blob)
            if key == _CLOCK_KEY:
                self._now_ms, self._silence.watching_since_ms = parts
            elif key.startswith(_CHANNEL_KEY):
                ended += self._load_channel(key, parts)
            elif key.startswith(WATCH_KEY):
                ended += self._load_watch(key, parts)
            else:
                ended += self._load_node(key, parts)
        self._watch_all()
        self._warm_up(before)
        return [EpisodeChange(ChangeKind.ENDED, episode, live=True) for episode in ended]

    def _load_channel(self, key: str, parts: list[memory.Json]) -> list[Episode]:
        name = key.removeprefix(_CHANNEL_KEY)
        state = self._channels.get(name)
        if state is None:
            self._forgotten.append(key)
            return memory.orphans(SubjectKind.CHANNEL, name, parts)
        ended = memory.load_channel(state, parts)
        if state.stale:
            self._stale[name] = state
        if ended:
            self._touch(state)
        return ended

    def _load_watch(self, key: str, parts: list[memory.Json]) -> list[Episode]:
        watch = self._watches.get(key)
        if watch is None:
            self._forgotten.append(key)
            return memory.orphaned_watch(parts)
        ended = memory.load_watch(watch, parts)
        if ended:
            self._touch(watch)
        return ended

    def _warm_up(self, before: Mapping[str, Watch]) -> None:
        """Have every watch read what its signal looks back on, a new one from what its channels last said."""
        for key, watch in self._watches.items():
            if watch.last_ms == NEVER and not watch.waiting:
                last_ms = max(self._channels[channel.id].last_ms for channel in watch.inputs)
                if last_ms == NEVER:
                    continue
                watch.resume(last_ms, NEVER, ())
            if (known := before.get(key)) is not None and known.last_ms == watch.last_ms:
                watch.take_over(known)
            if watch.is_halted:
                self._stale[key] = watch
            if watch.waiting:
                self._waiting[key] = watch

    def _load_node(self, key: str, parts: list[memory.Json]) -> list[Episode]:
        name = key.removeprefix(_NODE_KEY)
        state = self._nodes.get(name)
        if state is None:
            self._forgotten.append(key)
            return memory.orphans(SubjectKind.NODE, name, parts)
        ended = memory.load_node(state, parts, self._node_silences)
        if ended:
            self._touch(state)
        return ended

    def _tick(self, now_ms: int) -> list[EpisodeChange]:
        if self._resumed_from_ms is not None:
            if now_ms - self._resumed_from_ms > milliseconds(self._settings.downtime):
                self._silence.watching_since_ms = now_ms
            self._resumed_from_ms = None
        self._move_clock(now_ms)
        changed: list[Subject] = []
        changes = self._silence.tick(now_ms, changed) + self._go_on()
        for subject in changed:
            self._touch(subject)
        return changes

    def _hear(self, state: ChannelState, received_ms: int, *, usable: bool) -> list[EpisodeChange]:
        node = state.node
        if received_ms > self._now_ms:
            self._move_clock(received_ms)
        if not state.dirty:
            self._touch(state)
        changes: list[EpisodeChange] = []
        if note_heard(node, received_ms):
            if not node.dirty:
                self._touch(node)
            self._silence.resume(node)
            if node.silent:
                changes = self._silence.heard(node)
        if usable and (state.heard_ms is None or received_ms > state.heard_ms):
            state.heard_ms = received_ms
            if state.silent:
                changes += self._silence.heard(state)
        return changes

    def _move_clock(self, moment_ms: int) -> None:
        if moment_ms > self._now_ms:
            self._now_ms = moment_ms
            self._clock_changed = True

    def _subjects(self) -> Iterator[Subject | Watch]:
        yield from self._nodes.values()
        yield from self._channels.values()
        yield from self._watches.values()

    def _touch(self, subject: Subject | Watch) -> None:
        if not subject.dirty:
            subject.dirty = True
            self._changed.append(subject)


def _unregistered(channel: Channel) -> NodeState:
    node = NodeState(channel.node, channel.facility, 0)
    node.dirty = True  # never handed out: nothing is remembered of a node that is not registered
    return node


def _entry(subject: Subject | Watch) -> tuple[str, bytes]:
    if isinstance(subject, NodeState):
        return _NODE_KEY + subject.id, memory.encode_node(subject)
    if isinstance(subject, Watch):
        return subject.key, memory.encode_watch(subject)
    return _CHANNEL_KEY + subject.channel.id, memory.encode_channel(subject)
