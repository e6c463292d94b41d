"""When shelving and maintenance hold, and when that changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.silences import Silence, SilenceKind, Subject, covers, is_active, next_change

MONDAY = datetime(2026, 3, 23, tzinfo=UTC)
"""In the week before clocks go forward in Berlin, on Sunday 29 March at 1:00 UTC."""
HOUR = timedelta(hours=1)
ALWAYS = Silence(kind=SilenceKind.MAINTENANCE, reason="service", created_by="amina", created_at=MONDAY, start=MONDAY)
NIGHTLY = replace(ALWAYS, from_time=time(22), to_time=time(6), timezone="Europe/Berlin")
FRIDGE = Subject("heat", "t2", "fridge-2", "kasese-3", "Kasese", "Western", "Uganda")

silences = st.builds(
    lambda days, first, last, zone, end, cancelled: replace(
        ALWAYS,
        weekdays=tuple(sorted(days)),
        from_time=first,
        to_time=last,
        timezone=zone,
        end=None if end is None else MONDAY + end * HOUR,
        cancelled_at=None if cancelled is None else MONDAY + cancelled * HOUR,
    ),
    st.sets(st.integers(0, 6)),
    st.builds(time, st.integers(0, 23), st.sampled_from((0, 30))),
    st.builds(time, st.integers(0, 23), st.sampled_from((0, 30))),
    st.sampled_from(("UTC", "Africa/Kampala", "Europe/Berlin", "America/New_York")),
    st.none() | st.integers(1, 400),
    st.none() | st.integers(1, 400),
)


@given(silences, st.integers(-48, 24 * 16), st.floats(0, 0.999))
def test_between_two_changes_nothing_changes(silence: Silence, hours: int, share: float) -> None:
    """From a moment to the next change it announces, a silence holds throughout or not at all."""
    after = MONDAY + hours * HOUR
    change = next_change(silence, after)
    until = change or after + timedelta(days=30)
    assert until > after
    between = after + (until - after) * share
    assert is_active(silence, between) == is_active(silence, after)


def test_a_night_window_lasts_over_midnight() -> None:
    """A window that ends before it begins ends on the next day, by the clock of its zone."""
    assert not is_active(NIGHTLY, MONDAY + timedelta(hours=20, minutes=59))
    assert is_active(NIGHTLY, MONDAY + 21 * HOUR)
    assert is_active(NIGHTLY, MONDAY + timedelta(hours=28, minutes=59))
    assert not is_active(NIGHTLY, MONDAY + 29 * HOUR)


def test_a_window_follows_the_clock_when_it_goes_forward() -> None:
    """The night in which summer time begins is silent for seven hours: from 21:00 to 4:00 UTC."""
    saturday = MONDAY + timedelta(days=5)
    assert next_change(NIGHTLY, saturday + 20 * HOUR) == saturday + 21 * HOUR
    assert next_change(NIGHTLY, saturday + 21 * HOUR) == saturday + 28 * HOUR


def test_an_open_end_lasts_until_it_is_cancelled() -> None:
    """Without an end a silence holds for ever, or to the moment at which somebody took it back."""
    assert is_active(ALWAYS, MONDAY + timedelta(days=4000))
    assert next_change(ALWAYS, MONDAY) is None
    taken_back = replace(ALWAYS, cancelled_at=MONDAY + HOUR)
    assert next_change(taken_back, MONDAY) == MONDAY + HOUR
    assert not is_active(taken_back, MONDAY + HOUR)


@pytest.mark.parametrize("part", ["rule", "subject", "equipment", "facility", "district", "region", "country"])
def test_every_part_of_the_scope_must_match(part: str) -> None:
    """A scope covers what it names and nothing else."""
    named: dict[str, Any] = {part: getattr(FRIDGE, part)}
    another: dict[str, Any] = {part: "another"}
    assert covers(replace(ALWAYS, **named), FRIDGE, MONDAY)
    assert not covers(replace(ALWAYS, **another), FRIDGE, MONDAY)
