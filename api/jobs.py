"""Work that takes a while, as pages see it: ordered, under way, over; somewhere else it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

Order = TypeVar("Order")


class Stage(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Tell whether nothing more comes."""
        return self not in (Stage.WAITING, Stage.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState(Generic[Order]):
    """An order and what came of it so far; replaced as a whole when something changes."""

    number: int
    order: Order
    stage: Stage = Stage.WAITING
    done: int = 0
    """Facilities that are finished, of ``of``."""
    of: int = 0
    result: Mapping[str, Any] | None = None
    """Plain data, once it is done."""
    error: str = ""


class JobDesk(Protocol[Order]):
    """Takes orders of one kind and remembers the last of them; a restart forgets them."""

    def start(self, order: Order) -> JobState[Order]:
        """Take an order; raise a ``VitalsError`` where too many wait."""

    def get(self, number: int) -> JobState[Order] | None:
        """Return how far a job is; None for one that is not remembered."""

    def all(self) -> Sequence[JobState[Order]]:
        """Return what is remembered, newest first."""

    def cancel(self, number: int) -> None:
        """End a job that is not over."""

    async def wait(self, number: int, seconds: float) -> None:
        """Wait until a job is over, at most so long."""
