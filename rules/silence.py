"""Silence, on the service's clock: who should have been heard by now, the one who never reported included.

- A node is heard by any reading of any of its channels, usable or not, new or old: it is alive.
- A channel is heard by a usable reading only: a sensor that answers with errors guards nothing.
- While a node is away, the silence of its channels is its own: one outage is one episode.
- After the service itself was away, silence counts from its return: nobody was listening in between.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from domain.episode import ChangeKind, Episode, EpisodeChange, Severity, SubjectKind, episode_id
from domain.instant import to_datetime
from rules.compile import Silence
from rules.series import ChannelState, NodeState, Silent
from rules.signals import NEVER

Subject = NodeState | ChannelState


class SilenceWatch:
    """A queue of who has to be looked at when; each subject stands in it once per rule while it is not silent."""

    def __init__(self) -> None:
        self.watching_since_ms = NEVER
        self._waiting: list[tuple[Subject, Silence]] = []
        self._queue: list[tuple[int, int, Subject, Silence]] = []
        self._postponed: dict[str, list[tuple[Subject, Silence]]] = {}
        """By node: channels that nobody can call silent before their node is heard."""
        self._count = 0

    def watch(self, subject: Subject, silences: Iterable[Silence]) -> None:
        """Watch a subject from the next tick on; an open episode of silence goes on."""
        self._waiting.extend((subject, silence) for silence in silences if silence.rule not in (subject.silent or ()))

    def forget_all(self) -> None:
        """Watch nobody."""
        self._waiting.clear()
        self._queue.clear()
        self._postponed.clear()

    def shift_clock(self, by_ms: int, now_ms: int) -> None:
        """Look at everybody as much later as the service's clock was set on."""
        if self.watching_since_ms != NEVER:
            self.watching_since_ms = min(self.watching_since_ms + by_ms, now_ms)
        self._queue = [
            (min(due_ms + by_ms, now_ms + silence.for_ms), count, subject, silence)
            for due_ms, count, subject, silence in self._queue
        ]
        heapq.heapify(self._queue)

    def resume(self, node: NodeState) -> None:
        """Look again at the channels of a node that is heard."""
        if self._postponed:
            self._waiting.extend(self._postponed.pop(node.id, ()))

    def tick(self, now_ms: int, changed: list[Subject]) -> list[EpisodeChange]:
        """Return the episodes of silence that begin now; subjects whose memory changed are added to ``changed``."""
        self._start_waiting(now_ms, changed)
        changes = []
        while self._queue and self._queue[0][0] <= now_ms:
            _, _, subject, silence = heapq.heappop(self._queue)
            due_ms = self._due_ms(subject, silence, now_ms)
            if due_ms is None or due_ms > now_ms:
                self._put_off(due_ms, subject, silence)
                continue
            started_ms = now_ms if subject.heard_ms is None else subject.heard_ms
            silent = Silent(started_ms, due_ms, silence)
            subject.silent = {**(subject.silent or {}), silence.rule: silent}
            changed.append(subject)
            changes.append(EpisodeChange(ChangeKind.OPENED, silence_episode(subject, silent), live=True))
        return changes

    def heard(self, subject: Subject) -> list[EpisodeChange]:
        """Return the ends of the subject's silence; call it only while it is silent, after ``heard_ms`` moved on."""
        silents, subject.silent = subject.silent or {}, None
        at_ms = subject.heard_ms
        self._waiting.extend((subject, silent.silence) for silent in silents.values())
        # Where the clock was set back meanwhile, its end would be before its beginning.
        ended = [silence_episode(subject, silent, max(at_ms or 0, silent.started_ms)) for silent in silents.values()]
        return [EpisodeChange(ChangeKind.ENDED, episode, live=True) for episode in ended]

    def _start_waiting(self, now_ms: int, changed: list[Subject]) -> None:
        for subject, silence in self._waiting:
            for each in (subject, subject.node) if isinstance(subject, ChannelState) else (subject,):
                if each.heard_ms is None:
                    each.heard_ms = now_ms
                    changed.append(each)
            self._put_off(self._due_ms(subject, silence, now_ms), subject, silence)
        self._waiting.clear()

    def _due_ms(self, subject: Subject, silence: Silence, now_ms: int) -> int | None:
        """Return when a subject that stays unheard is silent; None where its node has to be heard first."""
        heard_ms = now_ms if subject.heard_ms is None else subject.heard_ms
        since_ms = max(heard_ms, self.watching_since_ms)
        if isinstance(subject, NodeState):
            return since_ms + silence.for_ms
        node = subject.node
        if node.heard_ms is not None and now_ms - node.heard_ms >= min(node.away_ms, silence.for_ms):
            return None
        return max(since_ms, node.back_ms) + silence.for_ms

    def _put_off(self, due_ms: int | None, subject: Subject, silence: Silence) -> None:
        if due_ms is not None:
            self._count += 1
            heapq.heappush(self._queue, (due_ms, self._count, subject, silence))
        elif isinstance(subject, ChannelState):
            self._postponed.setdefault(subject.node.id, []).append((subject, silence))


def note_heard(node: NodeState, received_ms: int) -> bool:
    """Note the arrival of a reading of the node; return whether it is the newest arrival."""
    if node.heard_ms is not None:
        if received_ms <= node.heard_ms:
            return False
        if received_ms - node.heard_ms > node.away_ms:
            node.back_ms = received_ms
    node.heard_ms = received_ms
    return True


def silence_episode(subject: Subject, silent: Silent, ended_ms: int | None = None) -> Episode:
    """Return the episode of a subject's silence."""
    if isinstance(subject, NodeState):
        return gone_quiet(SubjectKind.NODE, subject.id, subject.facility, silent, ended_ms)
    return gone_quiet(SubjectKind.CHANNEL, subject.channel.id, subject.channel.facility, silent, ended_ms)


def gone_quiet(kind: SubjectKind, subject: str, facility: str, silent: Silent, ended_ms: int | None) -> Episode:
    """Return an episode of silence, whoever it is about."""
    severity: Severity = silent.silence.severity
    return Episode(
        id=episode_id(silent.silence.rule, subject, silent.started_ms),
        rule=silent.silence.rule,
        severity=severity,
        subject_kind=kind,
        subject=subject,
        facility=facility,
        started_at=to_datetime(silent.started_ms),
        confirmed_at=to_datetime(silent.confirmed_ms),
        ended_at=None if ended_ms is None else to_datetime(ended_ms),
    )
