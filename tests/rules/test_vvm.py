"""``vvm_used``: the published end points of vaccine vial monitors, and what a temperature record uses up of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.instant import DAY_MS
from domain.reading import Reading
from rules.conditions.vvm import Monitor, life_ms
from tests.rules.judging import channel, directory_of, one_rule, reading, truths


@pytest.mark.parametrize(
    ("monitor", "celsius", "days"),
    [
        ("VVM30", 37, 30),
        ("VVM30", 25, 193),
        ("VVM14", 37, 14),
        ("VVM14", 25, 90),
        ("VVM7", 37, 7),
        ("VVM7", 25, 45),
        ("VVM2", 37, 2),
        ("VVM2", 5, 225),
    ],
)
def test_a_monitor_lasts_as_long_as_published(monitor: str, celsius: float, days: float) -> None:
    """Within two in a hundred: the source gives whole days, which one activation energy for three kinds rounds."""
    assert life_ms(Monitor(monitor), celsius) / DAY_MS == pytest.approx(days, rel=0.02)


@pytest.mark.parametrize(("monitor", "years"), [("VVM30", 4), ("VVM14", 3), ("VVM7", 2)])
def test_in_the_fridge_a_monitor_lasts_longer_than_published(monitor: str, years: float) -> None:
    """The source says only "more than" so many years at 5 °C."""
    assert life_ms(Monitor(monitor), 5) / DAY_MS > years * 365


HOURLY = directory_of(channel(interval=timedelta(hours=1)))


def used(share: str, comparison: str = ">=", monitor: str = "VVM14", since: str = "2023-11-01") -> str:
    """Return the condition."""
    return f'{{vvm_used: {{type: {monitor}, limit: {share}, comparison: "{comparison}", since: {since}}}}}'


def days_at(celsius: float, days: int, *, first_h: int = 0) -> list[Reading]:
    """Return readings every hour, both ends included."""
    return [reading((first_h + hour) * 60, celsius) for hour in range(days * 24 + 1)]


@pytest.mark.parametrize(("share", "day"), [("50 %", 7), ("0.5", 7), ("100 %", 14)])
def test_the_share_is_reached_when_so_much_time_has_passed(share: str, day: int) -> None:
    """Half of a VVM14 is gone after seven days at 37 °C, not an hour before."""
    said = truths(one_rule(used(share))[0], days_at(37, 14), HOURLY)
    assert said.index(True) == day * 24
    assert all(said[day * 24 :])


def test_a_strict_comparison_wants_more() -> None:
    """The hour after."""
    assert truths(one_rule(used("50 %", ">"))[0], days_at(37, 8), HOURLY).index(True) == 7 * 24 + 1


def test_cold_uses_up_nearly_nothing_and_freezing_is_not_seen() -> None:
    """A month at 5 °C, or a freezing night, leave a VVM14 more than nine tenths of its life."""
    assert not any(truths(one_rule(used("10 %"))[0], days_at(5, 30) + days_at(-5, 1, first_h=721), HOURLY))


def test_a_gap_uses_up_nothing() -> None:
    """Nobody knows how warm it was; three intervals are bridged, four are not."""
    with_gap = days_at(37, 4) + days_at(37, 3, first_h=4 * 24 + 4)
    assert not any(truths(one_rule(used("50.5 %"))[0], with_gap, HOURLY))
    bridged = days_at(37, 4) + days_at(37, 3, first_h=4 * 24 + 3)
    assert any(truths(one_rule(used("50.5 %"))[0], bridged, HOURLY))


def test_what_was_before_the_day_is_not_counted() -> None:
    """The vial came into the fridge on that day."""
    later = one_rule(used("50 %", since="2023-11-18"))[0]
    said = truths(later, days_at(37, 14), HOURLY)
    # The first reading is at 22:14 of the fourteenth; the first of the eighteenth at 00:14, 74 hours later.
    assert said[:74] == [None] * 74
    assert said.index(True) == 74 + 7 * 24
