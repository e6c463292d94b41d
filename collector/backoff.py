"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

Waits = Iterator[float]
"""Seconds to wait, one after the other, without end."""


def waits(first: timedelta, longest: timedelta, jitter: Callable[[], float]) -> Waits:
    """Yield seconds without end: doubling from ``first`` up to ``longest``, each shortened by up to a half at random.

    ``jitter`` returns a number in 0..1. Many that failed together should not come back together.
    """
    seconds, most = first.total_seconds(), longest.total_seconds()
    while True:
        yield min(seconds, most) * (1 - jitter() / 2)
        seconds = min(seconds * 2, most)
