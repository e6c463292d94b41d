"""What one hour of one place came to, in short: from many channels together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class HourQuestion(NamedTuple):
    """Which channels tell how a place was."""

    limited: Sequence[str] = ()
    """Channels of which it matters whether they were beyond their limits."""
    supplies: Sequence[str] = ()
    """Channels that are 1 while there is power."""


class PlaceHour(NamedTuple):
    """An hour of which something is known."""

    place: str
    start_ms: int
    known: bool
    """Whether readings stand for any of it."""
    troubled: bool
    """Whether any channel was beyond its limits, or any supply off."""
