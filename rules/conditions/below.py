"""``below``: the value is under a limit without a break."""

from __future__ import annotations

from domain.quantities import Quantity
from rules.conditions.base import ValueCondition
from rules.conditions.bounds import Lower


class Below(Lower, ValueCondition):
    """A limit that has to be passed downwards for as long as ``for`` says."""

    def test_words(self, quantity: Quantity) -> str:
        """Return e.g. ``is at or below -0.5 °C``."""
        return f"is {self.bound_words(quantity)}"
