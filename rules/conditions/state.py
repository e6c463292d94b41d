"""``is``: a quantity that is a state (supply, door, running, fault) is in one of them without a break."""

from __future__ import annotations

from collections.abc import Iterator

from domain.places import Channel
from domain.quantities import Quantity
from domain.suggest import allowed_words
from rules.conditions.base import Band, Flaw, ValueCondition


class Is(ValueCondition):
    """A state word of the quantity."""

    state: str

    def band(self, channel: Channel) -> Band | None:
        """Return the test for the channel's values; no state is worse than itself."""
        if self.state not in channel.quantity.states:
            return None
        code = float(channel.quantity.states.index(self.state))
        return Band(lambda value: value == code, lambda value: value != code, None, ("is", code))

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield a word that is no state of the quantity."""
        if self.state not in quantity.states:
            yield Flaw(("state",), f"'{self.state}'", allowed_words(self.state, quantity.states))

    def test_words(self, quantity: Quantity) -> str:
        """Return e.g. ``is off``."""
        return f"is “{self.state}”" if quantity.name == "fault" else f"is {self.state}"
