"""``vvm_used``: which share of the life of a vaccine vial monitor the temperatures so far have used up.

End points as published for the four kinds (days at 37 °C: 30, 14, 7, 2); in between by Arrhenius with activation
energies fitted to their other end points (VVM30 193 d at 25 °C, VVM14 90 d, VVM7 45 d; VVM2 225 d at 5 °C): 119 kJ/mol
for the first three, 106 kJ/mol for VVM2. It is an estimate beside the monitor, not instead of it. No monitor registers
freezing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from domain.instant import DAY_MS
from domain.kinetic import KELVIN
from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Condition, Flaw
from rules.conditions.since import Since, since_ms
from rules.signals import NEVER, Scope, Signal
from rules.values import Amount, Limit, Reference

GAS_CONSTANT = 8.314462618
"""J/(mol K)."""
REFERENCE_CELSIUS = 37.0


class Monitor(StrEnum):
    """A kind of vaccine vial monitor, by its days at 37 °C."""

    VVM30 = "VVM30"
    VVM14 = "VVM14"
    VVM7 = "VVM7"
    VVM2 = "VVM2"


_DAYS_AND_JOULES = {
    Monitor.VVM30: (30.0, 119_000.0),
    Monitor.VVM14: (14.0, 119_000.0),
    Monitor.VVM7: (7.0, 119_000.0),
    Monitor.VVM2: (2.0, 106_000.0),
}


class VvmUsed(Condition):
    """Which monitor, since when, and which share of its life is too much."""

    type: Monitor
    limit: Limit
    """A share: ``50 %`` or ``0.5``."""
    comparison: Literal[">", ">="]
    since: Since

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether so much is used; time in gaps is not counted, since nobody knows how warm it was."""
        if not isinstance(self.limit, Amount):
            return None
        share, place, gap_ms = self._share, scope.place(channel), scope.gap_ms(channel)
        begin_ms = since_ms(self.since, scope.timezone)
        return Signal(
            lambda: _Used(place, self.type, share, gap_ms, begin_ms, self.comparison == ">="), 0, begin_ms, sign=1
        )

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield another quantity than a temperature, and a share that is none."""
        if quantity.name != "temperature":
            yield Flaw((), f"a vaccine vial monitor on {quantity.name}", "only on temperature")
        if isinstance(self.limit, Reference) or self.limit.unit not in ("", "%") or not 0 < self._share <= 1:
            yield Flaw(("limit",), f"'{self.limit}'", "a share of its life, such as 50 %")

    def words(self, quantity: Quantity) -> str:
        """Return e.g. ``has used up at least 50 % of the life of a VVM14 since 2026-03-01``."""
        than = "at least" if self.comparison == ">=" else "more than"
        return f"has used up {than} {self._share * 100:g} % of the life of a {self.type} since {self.since}"

    @property
    def _share(self) -> float:
        if isinstance(self.limit, Reference):
            return math.inf
        return self.limit.number / 100 if self.limit.unit == "%" else self.limit.number


def life_ms(monitor: Monitor, celsius: float) -> float:
    """Return how long a new monitor lasts at a temperature in °C, in milliseconds."""
    days, joules = _DAYS_AND_JOULES[monitor]
    slower = joules / GAS_CONSTANT * (1 / (celsius + KELVIN) - 1 / (REFERENCE_CELSIUS + KELVIN))
    return days * DAY_MS * math.exp(slower)


_ROUNDING = 1e-9


class _Used:
    """What is used so far; the temperature between two readings is their mean."""

    __slots__ = ("_begin_ms", "_gap_ms", "_inclusive", "_moment_ms", "_monitor", "_place", "_share", "_used", "_value")

    def __init__(self, place: int, monitor: Monitor, share: float, gap_ms: int, begin_ms: int, inclusive: bool) -> None:
        self._place, self._monitor, self._share, self._gap_ms = place, monitor, share, gap_ms
        self._begin_ms, self._inclusive = begin_ms, inclusive
        self._moment_ms, self._value, self._used = NEVER, 0.0, 0.0

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place != self._place or moment_ms < self._begin_ms:
            return
        lasted_ms = moment_ms - self._moment_ms
        if lasted_ms <= self._gap_ms:
            self._used += lasted_ms / life_ms(self._monitor, (value + self._value) / 2)
        self._moment_ms, self._value = moment_ms, value

    def truth(self, moment_ms: int) -> bool | None:
        if self._moment_ms == NEVER:
            return None
        return self._used >= self._share - _ROUNDING if self._inclusive else self._used > self._share + _ROUNDING

    def figure(self) -> float | None:
        return None if self._moment_ms == NEVER else self._value
