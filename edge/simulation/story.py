"""The story of what goes wrong: rows of (when, where, what, how long), told again every three days."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from edge.simulation.chance import chance

PERIOD_MS: Final = 3 * DAY_MS
LATEST_SHIFT_MS: Final = 90 * MINUTE_MS
"""How much later than its row an event may come when the story is told again."""


class EventKind(StrEnum):
    """What can go wrong."""

    GRID_OUTAGE = "grid_outage"
    GENERATOR_FAILS = "generator_fails"
    """The generator does not start, and stops if it runs."""
    COMPRESSOR_FAILURE = "compressor_failure"
    """The first fridge of the facility stops cooling."""
    THERMOSTAT_STUCK = "thermostat_stuck"
    """The first fridge of the facility cools without end."""
    DOOR_LEFT_OPEN = "door_left_open"
    """The door of the first fridge stands open."""
    PUMP_FAILURE = "pump_failure"
    NODE_SILENT = "node_silent"
    """The network is cut: the node measures on, and nobody hears it."""


class Event(NamedTuple):
    """Something that goes wrong at a facility or in an area of the grid."""

    offset_ms: int
    """From the start of the story."""
    where: str
    kind: EventKind
    duration_ms: int


def _row(hours: float, where: str, kind: EventKind, duration_hours: float) -> Event:
    return Event(round(hours * HOUR_MS), where, kind, round(duration_hours * HOUR_MS))


STORY: Final = (
    _row(0.2, "north", EventKind.GRID_OUTAGE, 9.0),
    _row(0.0, "health-centre-4", EventKind.GENERATOR_FAILS, 24.0),
    _row(0.3, "outpost", EventKind.COMPRESSOR_FAILURE, 17.0),
    _row(1.0, "riverside", EventKind.PUMP_FAILURE, 22.0),
    _row(3.0, "hillside", EventKind.NODE_SILENT, 4.0),
    _row(10.5, "market", EventKind.DOOR_LEFT_OPEN, 0.5),
    _row(18.0, "crossroads", EventKind.THERMOSTAT_STUCK, 5.0),
    _row(27.0, "south", EventKind.GRID_OUTAGE, 0.75),
    _row(31.0, "hospital", EventKind.NODE_SILENT, 1.0),
)
"""What the demonstration tells: over after some 32 hours, and then quiet until it begins anew.

An area of the grid goes dark; the hospital's generator starts, that of the health centre does not; fridges warm.
A compressor dies for long enough to spoil vaccines, a tank runs dry, a node falls silent and comes back, and a
thermostat that never stops freezes what it should keep cool.
"""


@dataclass(frozen=True, slots=True)
class Story:
    """A story that starts at a moment and is told anew every ``PERIOD_MS``, with other delays by the seed."""

    start_ms: int
    seed: int
    events: tuple[Event, ...] = STORY

    def happening(self, now_ms: int, *places: str) -> frozenset[EventKind]:
        """Return what is going wrong at this moment in any of the places."""
        telling, offset_ms = divmod(now_ms - self.start_ms, PERIOD_MS)
        if telling < 0:
            return frozenset()
        return frozenset(
            event.kind
            for event in _telling(self.events, self.seed, telling)
            if event.where in places and event.offset_ms <= offset_ms < event.offset_ms + event.duration_ms
        )

    def silent(self, facility: str, now_ms: int) -> bool:
        """Tell whether the facility's node is cut off from the network; its driver knows nothing of that."""
        return EventKind.NODE_SILENT in self.happening(now_ms, facility)


@lru_cache(maxsize=16)
def _telling(events: tuple[Event, ...], seed: int, telling: int) -> tuple[Event, ...]:
    """Return the events of one telling: the first as written, later ones shifted."""
    if telling == 0:
        return events
    return tuple(
        event._replace(offset_ms=event.offset_ms + chance(seed, "telling", telling, *event).randrange(LATEST_SHIFT_MS))
        for event in events
    )


QUIET: Final = Story(0, 0, ())
"""The story in which nothing goes wrong."""
