"""Stretches of the log that bring no news: readings that stand there for some followers only."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Mark(IntEnum):
    """Why readings stand in the log although they did not just arrive."""

    REPEATED = 1
    """What is kept of contested moments, once more, for followers that keep what came last."""
    COPIED = 2
    """Brought from another store: history that nobody is to be woken by."""


class Stretch(NamedTuple):
    """Positions of the log, both ends included."""

    first: int
    last: int
    mark: Mark
