"""What one day of one channel came to: the row from which figures of places are made."""

from __future__ import annotations

from typing import NamedTuple


class ChannelDay(NamedTuple):
    """A daily roll-up that holds something, in the canonical unit of its channel's quantity."""

    channel: str
    start_ms: int
    """Midnight, UTC."""
    readings: int
    """Usable readings measured on the day."""
    mean: float | None
    """None, like minimum and maximum, where the day is covered only by a reading before it."""
    minimum: float | None
    maximum: float | None
    covered_ms: int
    """How much of the day readings stand for; the rest is unknown."""
    judged_ms: int
    """Covered time in which any limit was in force; what of it is neither below nor above is within."""
    below_ms: int
    """Covered time below the low limit in force at that time."""
    above_ms: int
    """Covered time above the high limit in force at that time."""


def fuller(one: ChannelDay, other: ChannelDay) -> ChannelDay:
    """Return the one of two rows of the same day that knows more: it has more readings in it."""
    return other if (other.readings, other.covered_ms) > (one.readings, one.covered_ms) else one
