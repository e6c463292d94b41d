"""What looks at a stretch of time beyond a limit that lies above or below: one of the two is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import model_validator

from domain.document import Path
from domain.quantities import Quantity
from rules.conditions.base import Condition, Flaw
from rules.conditions.bounds import Lower, Upper
from rules.values import Amount, Reference


class Beyond(Condition):
    """A limit with its comparison, upwards or downwards."""

    above: Upper | None = None
    below: Lower | None = None

    why_no_clear: ClassVar[str]
    """Why there is no clear level, which is said to whoever writes one."""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("exactly one of 'above' and 'below'")
        return self

    @property
    def bound(self) -> Upper | Lower:
        """Return the limit and its comparison."""
        bound = self.above or self.below
        assert bound is not None  # noqa: S101 - one of them was required
        return bound

    def limits(self) -> Iterator[tuple[Path, Amount | Reference]]:
        """Yield the limit with its path."""
        for path, limit in self.bound.limits():
            yield (self._side, *path), limit

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield what is wrong for this quantity, and a clear level."""
        yield from super().flaws(quantity)
        if self.bound.clear is not None:
            yield Flaw((self._side, "clear"), "a clear level", f"none: {self.why_no_clear}")

    @property
    def _side(self) -> str:
        return "above" if self.above else "below"
