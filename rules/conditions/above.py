"""``above``: the value is over a limit without a break."""

from __future__ import annotations

from domain.quantities import Quantity
from rules.conditions.base import ValueCondition
from rules.conditions.bounds import Upper


class Above(Upper, ValueCondition):
    """A limit that has to be passed upwards for as long as ``for`` says."""

    def test_words(self, quantity: Quantity) -> str:
        """Return e.g. ``is above 8 °C``."""
        return f"is {self.bound_words(quantity)}"
