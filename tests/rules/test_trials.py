"""Tests that stand inside rules: what they try, what they say when they fail, and what is refused of them."""

from __future__ import annotations

import pytest

from app.rule_documents import every_rule
from domain.errors import DocumentError
from rules.proving import prove
from tests.rules.judging import rules_of as rules_in

RULE = """
rules:
  - id: warm
    title: Warm
    severity: critical
    applies_to: {{quantity: {quantity}, equipment: fridge}}
    when: {when}
    tests:
      - {trial}
"""
ABOVE_8 = '{above: {limit: 8 °C, comparison: ">", for: 20min}}'


def outcome(trial: str, *, quantity: str = "temperature", when: str = ABOVE_8) -> str:
    """Return the difference that one trial of one rule shows."""
    (proven,) = prove(rules_in(RULE.format(quantity=quantity, when=when, trial=trial)))
    return proven.difference


def test_every_rule_that_comes_with_vitals_does_what_its_tests_say() -> None:
    """And every one of them has a test."""
    rules = every_rule()
    assert [rule.id for rule in rules if not rule.tests] == []
    assert [(each.rule.id, each.trial.it, each.difference) for each in prove(rules) if each.difference] == []


@pytest.mark.parametrize(
    "trial",
    [
        "{it: tells, readings: 5 9x3 5, episodes: [{start: 10min, end: 40min}]}",
        "{it: goes on, readings: 5 9x3, episodes: [{start: 10min, confirmed: 30min, extreme: 48.2 °F, live: true}]}",
        "{it: is silent, readings: 5 9x2 5}",
        "{it: reads another unit, unit: degF, readings: 40 50x3 40, episodes: [{start: 10min, end: 40min}]}",
        "{it: comes late, readings: 5 9x3 5, delay: 2h, episodes: [{start: 10min, end: 40min, live: false}]}",
        "{it: keeps another pace, every: 1min, readings: 5 9x21 5, episodes: [{start: 1min, end: 22min}]}",
    ],
)
def test_what_a_trial_expects_and_what_comes_agree(trial: str) -> None:
    """Times, extremes in any unit, and whether somebody was told at once."""
    assert outcome(trial) == ""


@pytest.mark.parametrize(
    ("trial", "difference"),
    [
        (
            "{it: is silent, readings: 5 9x3 5}",
            "expected nothing; found from 10min confirmed at 30min until 40min worst 9 °C told at once",
        ),
        ("{it: tells, readings: 5 9x2 5, episodes: [{start: 10min}]}", "expected from 10min going on; found nothing"),
        (
            "{it: is worse, readings: 9x3, episodes: [{start: 0s, extreme: 9.5}]}",
            "expected from 0s going on worst 9.5 °C; found from 0s confirmed at 20min going on worst 9 °C told at once",
        ),
    ],
)
def test_a_failure_says_what_was_expected_and_what_came(trial: str, difference: str) -> None:
    """In words that a person who writes rules can act on."""
    assert outcome(trial) == difference


def test_states_are_written_by_their_words() -> None:
    """A supply is on or off, not 1 or 0."""
    trial = "{it: tells, every: 5min, readings: on off on, episodes: [{start: 5min, end: 10min}]}"
    assert outcome(trial, quantity="supply", when="{is: {state: off}}") == ""


def test_a_trial_begins_at_a_time_of_day_and_has_companions() -> None:
    """Half past nine at night, mains that are there at first, and a rule that asks for both."""
    when = (
        '{all: [{above: {limit: 8 °C, comparison: ">"}}, {is: {state: off}, of: {quantity: supply, equipment: mains}},'
        ' {schedule: {from: "22:00", to: "06:00"}}]}'
    )
    mains = "others: [{of: {quantity: supply, equipment: mains}, readings: onx5 off}]"
    told = "episodes: [{start: 50min, extreme: 9}]"
    assert outcome(f"{{it: tells, starts: 21:30, readings: 9x6, {mains}, {told}}}", when=when) == ""
    assert outcome(f"{{it: is silent, starts: 08:00, readings: 9x6, {mains}}}", when=when) == ""


@pytest.mark.parametrize(
    ("trial", "field", "found"),
    [
        ("{it: x, readings: 5 nine 5}", "tests.0.readings", "'nine'"),
        ("{it: x, readings: 5, every: 0s}", "tests.0.every", "no time at all"),
        ("{it: x, readings: 5, unit: V}", "tests.0.unit", "'V'"),
        ("{it: x, readings: 5, limits: {high: 8 V}}", "tests.0.limits.high", "'8 V'"),
        ("{it: x, readings: 5, episodes: [{start: 0s, extreme: $limits.high}]}", "tests.0.episodes.0.extreme", "$"),
        (
            "{it: x, readings: 5, others: [{of: {quantity: supply}, readings: on of}]}",
            "tests.0.others.0.readings",
            "'of'",
        ),
        (
            "{it: x, readings: 5, others: [{of: {quantity: humidity}, readings: 50, limits: {high: 8 °C}}]}",
            "tests.0.others.0.limits.high",
            "'8 °C'",
        ),
        ("{it: x, readings: 5, starts: dawn}", "tests.0.starts", "'dawn'"),
        ("{it: x, readings: 5, episode: []}", "tests.0.episode", "'episode'"),
    ],
)
def test_a_wrong_trial_is_refused_with_its_place(trial: str, field: str, found: str) -> None:
    """A test that could not fail would be worse than none."""
    with pytest.raises(DocumentError) as refused:
        rules_in(RULE.format(quantity="temperature", when=ABOVE_8, trial=trial))
    (problem,) = refused.value.problems
    assert problem.field.endswith(field)
    assert found in problem.found
    assert problem.line > 1
