"""One limit with its comparison and its clear level, looking up or looking down: what several kinds are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, Literal

from domain.document import Path
from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Band, Flaw, Part, Predicate
from rules.values import Amount, Limit, Reference, resolve, shown, worded

# Closures over the limit itself: this is what runs for every reading and rule.
_HOLDS: dict[str, Callable[[float], Predicate]] = {
    ">": lambda limit: lambda value: value > limit,
    ">=": lambda limit: lambda value: value >= limit,
    "<": lambda limit: lambda value: value < limit,
    "<=": lambda limit: lambda value: value <= limit,
}


class Bound(Part):
    """A limit; the comparison is always written out, because 8.0 is fine for one device and an alarm for another."""

    sign: ClassVar[int]
    """1 where higher is worse, -1 where lower is worse."""
    side: ClassVar[str]
    back: ClassVar[str]

    limit: Limit
    comparison: str
    clear: Limit | None = None
    """An open episode ends only at or beyond this level; the limit itself where it is not given."""

    def limits(self) -> Iterator[tuple[Path, Amount | Reference]]:
        """Yield the limit and the clear level with their paths."""
        yield ("limit",), self.limit
        if self.clear is not None:
            yield ("clear",), self.clear

    def levels(self, channel: Channel) -> tuple[float, float] | None:
        """Return limit and clear level in the canonical unit, or None where the registry lacks one."""
        limit = resolve(self.limit, channel)
        clear = limit if self.clear is None else resolve(self.clear, channel)
        return None if limit is None or clear is None else (limit, clear)

    def band(self, channel: Channel) -> Band | None:
        """Return the test for the channel's values."""
        levels = self.levels(channel)
        if levels is None:
            return None
        limit, clear = levels
        return Band(*_predicates(self.sign, self.comparison, limit, clear), (self.comparison, limit, clear))

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield a clear level that lies on the alarm's side of the limit."""
        levels = self.levels(channel)
        if levels is None or self.clear is None or (levels[1] - levels[0]) * self.sign <= 0:
            return
        limit = shown(channel.quantity, levels[0])
        yield Flaw(
            ("clear",),
            f"a clear level of {shown(channel.quantity, levels[1])}",
            f"{limit} or {self.back}: an alarm {self.side} {limit} cannot end {self.side} {limit}",
        )

    def bound_words(self, quantity: Quantity) -> str:
        """Return e.g. ``above 8 °C`` or ``at or below -0.5 °C``."""
        inclusive = "at or " if "=" in self.comparison else ""
        return f"{inclusive}{self.side} {worded(self.limit, quantity)}"

    def ending(self, quantity: Quantity) -> str:
        """Return where an episode ends, if not at the limit."""
        if self.clear is None or self.clear == self.limit:
            return ""
        return f"it ends at {worded(self.clear, quantity)} or {self.back}"


class Upper(Bound):
    """A limit that a value must not rise above."""

    sign = 1
    side = "above"
    back = "below"
    comparison: Literal[">", ">="]


class Lower(Bound):
    """A limit that a value must not fall below."""

    sign = -1
    side = "below"
    back = "above"
    comparison: Literal["<", "<="]


def _predicates(
    sign: int, comparison: str, limit: float, clear: float
) -> tuple[Predicate, Predicate, Callable[[float], float]]:
    holds = _HOLDS[comparison](limit)

    def cleared(value: float) -> bool:
        return (value - clear) * sign <= 0 and not holds(value)

    excess: Callable[[float], float] = (lambda value: value - limit) if sign > 0 else (lambda value: limit - value)
    return holds, cleared, excess
