"""Whatever fails, what nodes sent is stored, once, and judged right; ``VITALS_FAULTS_MINUTES`` makes it longer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.faults import Compared, faults

pytestmark = pytest.mark.system


async def test_stored_is_sent_whatever_fails(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Servers die, the disk is slow and full, a flood comes and the registry changes, for a quarter of a minute."""
    seconds = float(os.environ.get("VITALS_FAULTS_MINUTES", "0.25")) * 60
    tally = await faults(tmp_path, seconds=seconds, seed=20)
    record_property("faults", str(tally))
    print(tally)  # noqa: T201 - the figure, shown with pytest -s
    assert tally.faults.total() > 4
    assert tally.sent > 0
    assert (tally.journal, tally.influx) == (Compared(0, 0, 0), Compared(0, 0, 0))
    assert (tally.died, tally.wrong_hours) == (0, 0)
