"""Who is on call by a roster at a moment; pure."""

from __future__ import annotations

from datetime import datetime

from domain.people import Roster


def on_call(roster: Roster, at: datetime) -> tuple[str, ...]:
    """Return the ids of the contacts who are on call, in the order of the rotations, each once."""
    raise NotImplementedError
