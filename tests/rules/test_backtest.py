"""Judging the past again, and how two sets of rules differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.episode import Episode
from domain.instant import HOUR_MS, MINUTE_MS, to_ms
from rules.backtest import begins_ms, compare, retry
from rules.model import Rule
from tests.rules.judging import START_MS, directory_of, figures, one_rule, reading, readings

RULE = one_rule('{above: {limit: 8 °C, comparison: ">", for: 5min}}')
STRICT = one_rule('{above: {limit: 6 °C, comparison: ">", for: 5min}}')
SERIES = [*readings([5.0, 7.0, *[9.0] * 8, 5.0]), *readings([7.0] * 8, first=30), reading(40, 5.0)]


def found(rules: Sequence[Rule]) -> list[Episode]:
    """Return what rules find in the series."""
    retrial = retry(SERIES, rules, directory_of(), from_ms=START_MS, to_ms=START_MS + HOUR_MS)
    assert retrial.readings == len(SERIES)
    return retrial.episodes


def test_readings_are_judged_in_the_order_in_which_they_arrived() -> None:
    """Whatever order the store gives them in; what was late is late again."""
    late = [reading(at, 9.0, delay_min=200 - at) for at in range(100, 110)]
    series = [*reversed(SERIES), *late, reading(150, 5.0), reading(99, 5.0, delay_min=101)]
    retrial = retry(series, RULE, directory_of(), from_ms=START_MS, to_ms=START_MS + 5 * HOUR_MS)
    assert [figures(each)[2:5] for each in retrial.episodes] == [(2, 7, 10), (100, 105, 150)]
    assert [told.change.live for told in retrial.told] == [True, True, False, False]
    assert [(told.at_ms - START_MS) // MINUTE_MS for told in retrial.told] == [7, 10, 200, 200]


def test_silence_is_judged_by_the_clock() -> None:
    """Also after the last reading, up to the end of the period."""
    silent = one_rule("{silent_for: 30min}", applies_to="{node: any}", rule="silent")
    retrial = retry(SERIES, silent, directory_of(), from_ms=START_MS, to_ms=START_MS + 2 * HOUR_MS)
    assert [figures(each)[2:5] for each in retrial.episodes] == [(40, 70, None)]


def test_a_stricter_rule_finds_more_and_earlier() -> None:
    """Episodes that share time are one pair; what has no partner is gone or new."""
    compared = compare(found(RULE), found(STRICT))
    assert (compared.same, compared.gone, len(compared.changed), len(compared.new)) == (0, [], 1, 1)
    ((before, after),) = compared.changed
    assert (figures(before)[2:5], figures(after)[2:5]) == ((2, 7, 10), (1, 6, 10))
    assert compare(found(STRICT), found(RULE)).gone == compared.new
    assert compare(found(RULE), found(RULE)).same == 1


def test_judging_begins_early_enough_to_know_running_timers() -> None:
    """Twice the longest time that a rule asks for."""
    assert begins_ms([*RULE, *one_rule("{silent_for: 30min}")], 10 * HOUR_MS) == 9 * HOUR_MS


def test_what_is_counted_since_a_day_is_judged_from_there() -> None:
    """However short the period, a total since the first of March begins on it, wherever the facility is."""
    rule = one_rule('{exposure: {above: {limit: 8 °C, comparison: ">"}, total: 1h, since: 2026-03-01}}')
    march, june = (to_ms(datetime(2026, month, 1, tzinfo=UTC)) for month in (3, 6))
    assert begins_ms([*RULE, *rule], june) == march - 24 * HOUR_MS
