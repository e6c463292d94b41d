"""Accepted is stored: exactly, once, in order, whatever is killed; ``VITALS_SOAK_MINUTES`` makes it longer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.soak import soak

pytestmark = pytest.mark.system


async def test_what_the_outbox_accepted_is_stored_whatever_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Node, broker and collector die at random instants and the link is cut, for most of a minute or longer."""
    seconds = float(os.environ.get("VITALS_SOAK_MINUTES", "0.7")) * 60
    tally = await soak(tmp_path, seconds=seconds, seed=20)
    record_property("soak", str(tally))
    print(tally)  # noqa: T201 - the figure, shown with pytest -s
    assert tally.kills > 5
    assert tally.accepted > 0
    assert (tally.lost, tally.doubled, tally.disordered, tally.invented) == (0, 0, 0, 0)
