"""A clock is believed for a reason; a plausible date is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from edge.clock_trust import LATEST_MS, MADE_MS, ClockReason, Evidence, judge_clock

NOW_MS = 1_763_640_000_000
YEAR_MS = 365 * DAY_MS


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (Evidence(12_000, synchronised=True), ClockReason.TOO_EARLY),
        (Evidence(12_000, declared=True), ClockReason.TOO_EARLY),
        (Evidence(LATEST_MS + 1, synchronised=True), ClockReason.TOO_LATE),
        (Evidence(NOW_MS), ClockReason.UNCONFIRMED),
        (Evidence(NOW_MS, known_ms=NOW_MS - HOUR_MS), ClockReason.UNCONFIRMED),
        (Evidence(NOW_MS, declared=True), ClockReason.DECLARED),
        (Evidence(NOW_MS, synchronised=True), ClockReason.SYNCHRONISED),
        (Evidence(NOW_MS, synchronised=True, known_ms=NOW_MS + 2 * YEAR_MS), ClockReason.SYNCHRONISED),
        (Evidence(NOW_MS, set_since_start=True), ClockReason.SET_SINCE_START),
        (Evidence(NOW_MS, battery_ms=NOW_MS), ClockReason.BATTERY),
        (Evidence(NOW_MS, battery_ms=NOW_MS - 500, known_ms=NOW_MS - HOUR_MS), ClockReason.BATTERY),
        (Evidence(NOW_MS, battery_ms=NOW_MS, known_ms=NOW_MS + 30_000), ClockReason.BATTERY),
        (Evidence(NOW_MS, battery_ms=NOW_MS, known_ms=NOW_MS + HOUR_MS), ClockReason.BEHIND),
        (Evidence(NOW_MS, known_ms=NOW_MS + 2 * YEAR_MS), ClockReason.BEHIND),
        (Evidence(NOW_MS, battery_ms=0), ClockReason.UNCONFIRMED),
        (Evidence(NOW_MS, battery_ms=NOW_MS + 3 * HOUR_MS), ClockReason.UNCONFIRMED),
        (Evidence(NOW_MS, battery_ms=NOW_MS, known_ms=NOW_MS - 2 * YEAR_MS), ClockReason.LEAPT),
    ],
)
def test_each_clock_has_its_reason(evidence: Evidence, reason: ClockReason) -> None:
    """A clock that a file restored, one in local time and one two years ahead are not believed without a witness."""
    assert judge_clock(evidence) is reason


@given(
    wall_ms=st.integers(0, 2 * LATEST_MS),
    known_ms=st.none() | st.integers(MADE_MS, LATEST_MS),
    battery_ms=st.none() | st.integers(0, LATEST_MS),
)
def test_without_a_witness_time_never_goes_back(wall_ms: int, known_ms: int | None, battery_ms: int | None) -> None:
    """Nothing but a time service or a person makes a node believe in a moment that has passed."""
    reason = judge_clock(Evidence(wall_ms, known_ms=known_ms, battery_ms=battery_ms))
    if reason.trusted:
        assert battery_ms is not None
        assert known_ms is None or wall_ms >= known_ms - MINUTE_MS


def test_better_reasons_are_stronger() -> None:
    """A declared clock beats a synchronised one, and so on; what is not trusted has no strength."""
    order = [ClockReason.BATTERY, ClockReason.SET_SINCE_START, ClockReason.SYNCHRONISED, ClockReason.DECLARED]
    assert [reason for reason in sorted(ClockReason, key=lambda each: each.strength) if reason.trusted] == order
    assert all(reason.strength == 0 for reason in ClockReason if not reason.trusted)
