"""``outside``: the value is under a lower or over an upper limit without a break, on whichever side."""

from __future__ import annotations

from collections.abc import Iterator

from domain.document import Path
from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Band, Flaw, ValueCondition
from rules.conditions.bounds import Lower, Upper
from rules.values import Amount, Reference, resolve, shown


class Outside(ValueCondition):
    """A range, each end with its own comparison and clear level."""

    low: Lower
    high: Upper

    def limits(self) -> Iterator[tuple[Path, Amount | Reference]]:
        """Yield the limits and clear levels of both ends."""
        for name, bound in (("low", self.low), ("high", self.high)):
            for path, limit in bound.limits():
                yield (name, *path), limit

    def band(self, channel: Channel) -> Band | None:
        """Return the test for the channel's values; a swing from one side to the other is no way back."""
        low, high = self.low.band(channel), self.high.band(channel)
        if low is None or high is None:
            return None
        low_holds, low_cleared, low_excess, low_key = low
        high_holds, high_cleared, high_excess, high_key = high

        def holds(value: float) -> bool:
            return low_holds(value) or high_holds(value)

        def cleared(value: float) -> bool:
            return low_cleared(value) and high_cleared(value)

        def excess(value: float) -> float:
            return max(_of(low_excess, value), _of(high_excess, value))

        return Band(holds, cleared, excess, (*low_key, *high_key))

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield a range that is upside down, and clear levels that no value can reach together."""
        for name, bound in (("low", self.low), ("high", self.high)):
            for flaw in bound.flaws_at(channel):
                yield flaw._replace(path=(name, *flaw.path))
        low, high = resolve(self.low.limit, channel), resolve(self.high.limit, channel)
        if low is not None and high is not None and low >= high:
            allowed = f"less than the high limit of {shown(channel.quantity, high)}"
            yield Flaw(("low", "limit"), f"a low limit of {shown(channel.quantity, low)}", allowed)
            return
        low_levels, high_levels = self.low.levels(channel), self.high.levels(channel)
        if low_levels and high_levels and low_levels[1] > high_levels[1]:
            allowed = f"at most the high clear level of {shown(channel.quantity, high_levels[1])}"
            yield Flaw(("low", "clear"), f"a low clear level of {shown(channel.quantity, low_levels[1])}", allowed)

    def test_words(self, quantity: Quantity) -> str:
        """Return e.g. ``is below 2 °C or above 8 °C``."""
        return f"is {self.low.bound_words(quantity)} or {self.high.bound_words(quantity)}"

    def ending(self, quantity: Quantity) -> str:
        """Return where an episode ends, for each end that has a clear level of its own."""
        parts = [text for bound in (self.low, self.high) if (text := bound.ending(quantity))]
        return " and ".join([*parts[:1], *(part.removeprefix("it ends ") for part in parts[1:])])


def _of(excess: object, value: float) -> float:
    return excess(value) if callable(excess) else 0.0
