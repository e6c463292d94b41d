"""What every kind of condition is: a typed model that can find its own flaws, put itself in words and compile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.document import Path
from domain.places import Channel
from domain.quantities import Quantity
from rules.values import Amount, Duration, Reference

Predicate = Callable[[float], bool]


class Flaw(NamedTuple):
    """Something wrong inside a condition, at a path below it."""

    path: Path
    found: str
    allowed: str


class Band(NamedTuple):
    """What a condition asks of one value, with every limit resolved to the canonical unit.

    A value can be neither: inside the band between the limit and the clear level nothing begins and nothing ends.
    """

    holds: Predicate
    cleared: Predicate
    excess: Callable[[float], float] | None
    """How far a value lies beyond its limit, for telling which is worse; None where no value is worse."""
    key: tuple[float | str, ...]
    """Equal for bands that judge alike, so that channels can share one."""


class Part(BaseModel):
    """A group of fields in a rule; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ValueCondition(Part):
    """A condition on the value of a channel that has to hold without a break."""

    duration: Duration = Field(default=timedelta(0), alias="for")
    """How long, on event time; zero means that one reading is enough."""

    def band(self, channel: Channel) -> Band | None:
        """Return the test for this channel's values, or None where the registry lacks a limit."""
        raise NotImplementedError

    def limits(self) -> Iterator[tuple[Path, Amount | Reference]]:
        """Yield every limit and the path where it stands below the condition."""
        yield from ()

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield what is wrong for this quantity, whatever the registry holds."""
        amounts = ((path, limit, limit.flaw(quantity)) for path, limit in self.limits() if isinstance(limit, Amount))
        wrong = [Flaw(path, f"'{limit}'", allowed) for path, limit, allowed in amounts if allowed]
        yield from wrong or self.flaws_at(Channel("", "", "", "", "", quantity, timedelta(0)))

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield what is wrong once the limits are taken from the channel."""
        yield from ()

    def words(self, quantity: Quantity) -> str:
        """Return the condition as the predicate of a sentence: ``is above 8 °C``."""
        raise NotImplementedError

    def ending(self, quantity: Quantity) -> str:
        """Return how the episode ends, where that is not simply the opposite; else nothing."""
        return ""
