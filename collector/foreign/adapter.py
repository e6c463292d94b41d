"""What an adapter is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from domain.reading import Batch


class Read(Protocol):
    """Turns one message into samples; a pure function of its arguments."""

    def __call__(self, topic: str, payload: bytes, received_at_ms: int, *, zone: tzinfo | None) -> list[Batch]:
        """Return a batch for each device that the message speaks of, none for a message without readings.

        ``zone`` is where times without a zone are meant; None: such times are not believed, and the moment of
        arrival stands in their place. Raises ``PayloadError`` for what cannot be read, and nothing else.
        """


@dataclass(frozen=True)
class Adapter:
    """One way of speaking."""

    name: str
    """What the configuration calls it."""
    topics: tuple[str, ...]
    """The topic filters that such devices use unless somebody changed them."""
    read: Read
