"""What is still kept of a channel once retention has deleted the rest."""

from __future__ import annotations

from typing import NamedTuple


class Kept(NamedTuple):
    """From when on what of a channel is kept whole; 0 where nothing was deleted. Days are kept for ever."""

    raw_from_ms: int = 0
    hours_from_ms: int = 0
