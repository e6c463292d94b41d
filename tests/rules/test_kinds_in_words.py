"""Every kind of condition as a sentence, and what checking it against the registry finds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.places import Channel
from rules.check import check_rules
from rules.conditions import KINDS
from rules.sentence import describe
from tests.rules.judging import channel, directory_of, one_rule, rules_of

FRIDGE = "{quantity: temperature, equipment: fridge}"
SENTENCES = [
    (
        "{changes_faster_than: {by: 3 °C, within: 30min, direction: rising}}",
        FRIDGE,
        "Alarm when the vaccine compartment of a fridge rises by more than 3 °C within 30 min.",
    ),
    (
        "{changes_faster_than: {by: 0.1, within: 30min}, clear_for: 1h}",
        "{quantity: tank_level}",
        "Alarm when the tank level moves by more than 10 % within 30 min; it ends once it has been over for 1 h.",
    ),
    (
        "{changes_slower_than: {by: 0.5 °C, within: 4h, direction: falling}}",
        FRIDGE,
        "Alarm when the vaccine compartment of a fridge has fallen by less than 0.5 °C within 4 h.",
    ),
    ("{flat_for: 24h}", "{quantity: flow}", "Alarm when the flow has not moved for 1 d."),
    (
        "{flat_for: {for: 24h, band: $limits.width}}",
        "{quantity: flow}",
        "Alarm when the flow has not moved by more than its own limit “width” for 1 d.",
    ),
    (
        '{exposure: {above: {limit: 30 °C, comparison: ">"}, total: 10h, within: 7d}}',
        FRIDGE,
        "Alarm when the vaccine compartment of a fridge has been above 30 °C for 10 h in all within the last 7 d.",
    ),
    (
        '{exposure: {below: {limit: 2 °C, comparison: "<="}, degree_minutes: 600, since: 2026-03-01}}',
        FRIDGE,
        "Alarm when the vaccine compartment of a fridge has been at or below 2 °C by 600 degree-minutes in all since "
        "2026-03-01.",
    ),
    (
        '{mean_kinetic_temperature: {above: {limit: 8 °C, comparison: ">"}, within: 24h}}',
        FRIDGE,
        "Alarm when the vaccine compartment of a fridge has a mean kinetic temperature above 8 °C over 1 d.",
    ),
    (
        '{vvm_used: {type: VVM14, limit: 50 %, comparison: ">=", since: 2026-03-01}}',
        FRIDGE,
        "Alarm when the vaccine compartment of a fridge has used up at least 50 % of the life of a VVM14 since "
        "2026-03-01.",
    ),
    (
        '{time_to_limit: {above: {limit: 8 °C, comparison: ">"}, less_than: 2h}}',
        FRIDGE,
        "Alarm when the vaccine compartment of a fridge will be above 8 °C in less than 2 h if it goes on like this.",
    ),
    (
        '{all: [{above: {limit: 8 °C, comparison: ">"}}, {is: {state: off}, of: {quantity: supply, equipment: mains}}],'
        " for: 20min, clear_for: 30min}",
        FRIDGE,
        "Alarm about the vaccine compartment of a fridge when it is above 8 °C and the supply of a mains supply there "
        "is off, all of it without a break for 20 min; it ends once it has been over for 30 min.",
    ),
    (
        '{any: [{above: {limit: 8 °C, comparison: ">"}}, {all: [{below: {limit: 2 °C, comparison: "<"}},'
        " {is: {state: closed}, of: {quantity: door, at: equipment}}]}]}",
        FRIDGE,
        "Alarm about the vaccine compartment of a fridge when either it is above 8 °C or both it is below 2 °C and "
        "the door of the same equipment is closed.",
    ),
    (
        "{not: {is: {state: running}}}",
        "{quantity: running, equipment: [generator, ups]}",
        "Alarm about a generator or a UPS when it is not running.",
    ),
    (
        "{then: {first: {is: {state: off}, of: {quantity: supply, equipment: mains}},"
        ' second: {above: {limit: 8 °C, comparison: ">"}}, within: 2h}}',
        FRIDGE,
        "Alarm about the vaccine compartment of a fridge when first the supply of a mains supply there is off and "
        "then, within 2 h, it is above 8 °C.",
    ),
    (
        '{count: {at_least: 3, out_of: 5, hold: {above: {limit: 8 °C, comparison: ">"}}}}',
        FRIDGE,
        "Alarm about the vaccine compartment of a fridge when at 3 or more of the last 5 readings it is above 8 °C.",
    ),
    (
        "{quorum: {at_least: 2, of: {quantity: temperature, at: equipment},"
        ' hold: {above: {limit: 8 °C, comparison: ">"}}}}',
        "{quantity: temperature, equipment: cold_room, once_per: equipment}",
        "Alarm about the vaccine compartment of a cold room when at least 2 sensors of the temperature of the same "
        "equipment agree that it is above 8 °C.",
    ),
    (
        "{schedule: {from: 22:00, to: 06:00, days: [sat, sun]}}",
        "{quantity: door}",
        "Alarm about the door when it is between 22:00 and 06:00 of a Saturday or a Sunday there.",
    ),
]


@pytest.mark.parametrize(("when", "applies_to", "sentence"), SENTENCES)
def test_every_kind_reads_as_a_sentence(when: str, applies_to: str, sentence: str) -> None:
    """As a cold-chain manager would say it."""
    assert describe(one_rule(when, applies_to=applies_to)[0]) == sentence


def test_no_kind_is_without_a_sentence_here() -> None:
    """Those on one value and on silence stand in the tests of rule documents."""
    told = {one_rule(when, applies_to=applies_to)[0].when.kind for when, applies_to, _ in SENTENCES}
    assert told == set(KINDS) - {"above", "below", "outside", "is", "silent_for"}


def said(when: str, *channels: Channel, applies_to: str = FRIDGE) -> list[str]:
    """Return what checking a rule against a registry with these channels says, without the place."""
    problems = check_rules(one_rule(when, applies_to=applies_to), directory_of(*channels))
    return [f"{each.field.removeprefix('rules.0.')}: {each.found}; {each.allowed}" for each in problems]


BOTH = "{{{kind}: [{{above: {{limit: 8, comparison: '>'}}}}, {{is: {{state: off}}, of: {{quantity: supply}}}}]}}"


def test_a_companion_that_is_not_registered_is_found() -> None:
    """With what follows from it: ``all`` judges nothing there, ``any`` goes by what is left."""
    assert said(BOTH.format(kind="all"), channel("a"), channel("b")) == [
        "when.all.1.of: no supply there for a and 1 other channel: the rule does not judge them; "
        "as many registered channels of that quantity, at that place"
    ]
    assert said(BOTH.format(kind="any"), channel("a")) == [
        "when.any.1.of: no supply there for a: for it, only the other conditions beside this one are judged; "
        "as many registered channels of that quantity, at that place"
    ]
    assert said(BOTH.format(kind="all"), channel(), channel("mains", "supply", equipment="mains-1")) == []


def test_a_quorum_of_more_channels_than_there_are_is_found() -> None:
    """Two of one will never agree."""
    agree = "at_least: 2, of: {quantity: temperature, at: equipment}, hold: {above: {limit: 8, comparison: '>'}}"
    when = f"{{quorum: {{{agree}}}}}"
    assert said(when, channel()) == [
        "when.quorum.of: fewer than 2 channels of temperature there for probe: the rule does not judge it; "
        "as many registered channels of that quantity, at that place"
    ]
    assert said(when, channel("a"), channel("b")) == []


def test_a_limit_that_a_companion_lacks_is_found() -> None:
    """At the companion, not at the channel that the rule judges."""
    when = (
        "{all: [{above: {limit: 8, comparison: '>'}},"
        " {above: {limit: $limits.high, comparison: '>'}, of: {quantity: humidity}}]}"
    )
    assert said(when, channel(limits={"high": 8.0}), channel("damp", "humidity")) == [
        "when.all.1.above.limit: $limits.high, which is not set for damp: the rule does not judge there; "
        "a limit of that name at the channel, in the registry"
    ]


@pytest.mark.parametrize(
    ("when", "finding"),
    [
        (
            "{changes_faster_than: {by: 2 °C, within: 5min}}",
            "when.changes_faster_than.within: 5 min at probe; at least 15 min, the interval between readings",
        ),
        (
            "{all: [{changes_slower_than: {by: 2 °C, within: 5min}}]}",
            "when.all.0.changes_slower_than.within: 5 min at probe; at least 15 min, the interval between readings",
        ),
        (
            "{exposure: {above: {limit: 8, comparison: '>'}, total: 5min, within: 10min}}",
            "when.exposure.within: 10 min at probe; at least 15 min, the interval between readings",
        ),
        (
            "{mean_kinetic_temperature: {above: {limit: 8, comparison: '>'}, within: 10min}}",
            "when.mean_kinetic_temperature.within: 10 min at probe; at least 15 min, the interval between readings",
        ),
        ("{flat_for: 15min}", "when.flat_for.for: 15 min at probe; at least 30 min, which is 3 readings"),
        (
            "{time_to_limit: {above: {limit: 8, comparison: '>'}, less_than: 2h}}",
            "when.time_to_limit.fitted_over: 1 h at probe; at least 1 h 15 min, which is 6 readings",
        ),
    ],
)
def test_a_stretch_with_too_few_readings_is_found(when: str, finding: str) -> None:
    """It depends on how often the channel is read, and the finding says so."""
    assert said(when, channel(interval=timedelta(minutes=15))) == [finding]


def test_a_duration_beside_a_combination_is_held_against_the_interval() -> None:
    """At the place where it was written."""
    (rule,) = rules_of(
        """
        rules:
          - id: warm
            title: Warm
            severity: info
            applies_to: {quantity: temperature}
            when:
              all: [{above: {limit: 8, comparison: ">"}}]
              for: 5min
        """
    )
    (problem,) = check_rules([rule], directory_of(channel(interval=timedelta(minutes=15))))
    assert (problem.line, problem.field) == (9, "rules.0.when.for")
