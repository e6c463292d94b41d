"""Which alarms make themselves heard now, and how loudly; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple

from domain.episode import Episode, Severity


class When(StrEnum):
    """When a rule's alarms are local ones."""

    LINK_DOWN = "link_down"
    """While nobody else can tell: the service does not confirm what the node sends."""
    ALWAYS = "always"


class Alarm(NamedTuple):
    """An episode that goes on."""

    episode: Episode
    """On the node's own line of time."""
    when: When

    @property
    def key(self) -> str:
        """Return what tells it apart from other alarms of this node."""
        return self.episode.id


def audible(alarms: Iterable[Alarm], *, link_down: bool) -> list[Alarm]:
    """Return the alarms that are heard here, the worst first."""
    heard = [alarm for alarm in alarms if link_down or alarm.when is When.ALWAYS]
    return sorted(heard, key=lambda alarm: (-alarm.episode.severity, alarm.episode.started_at))


def worst(alarms: Iterable[Alarm], *, without: Collection[str] = ()) -> Severity | None:
    """Return the severity of the worst alarm that is not silenced; None where there is none."""
    return max((alarm.episode.severity for alarm in alarms if alarm.key not in without), default=None)


class Silencing:
    """The button: it silences what sounds now, for a while; what comes new is heard."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._until_s: dict[str, float] = {}

    def press(self, alarms: Iterable[Alarm], now_s: float) -> None:
        """Silence these alarms."""
        for alarm in alarms:
            self._until_s[alarm.key] = now_s + self._lasts_s

    def silenced(self, now_s: float) -> set[str]:
        """Return the alarms that are silenced now."""
        self._until_s = {key: until_s for key, until_s in self._until_s.items() if until_s > now_s}
        return set(self._until_s)

    def next_end_s(self) -> float | None:
        """Return when the next alarm is heard again; None where none is silenced."""
        return min(self._until_s.values(), default=None)
