"""Rule documents: what is understood, what is refused and in which words, and rules as sentences."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.documents import parse_document, read_document
from domain.errors import DocumentError
from rules.catalogue import load_catalogue
from rules.check import check_rules
from rules.conditions import KINDS
from rules.loader import load_rules
from rules.proving import prove
from rules.sentence import describe
from tests.rules.judging import channel, directory_of, one_rule

REFUSED = Path(__file__).parent / "refused"


@pytest.mark.parametrize("document", sorted(REFUSED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_document_is_refused_in_these_words(document: Path) -> None:
    """Every problem is named with line, column, field, what was found and what is allowed."""
    with pytest.raises(DocumentError) as refused:
        load_rules(read_document(document))
    said = str(refused.value).replace(str(document), document.name)
    assert said + "\n" == document.with_suffix(".expected.txt").read_text(encoding="utf-8")


def test_the_catalogue_is_right_and_every_rule_says_what_to_do() -> None:
    """Each document loads; ids are unique over all of them; each rule has a message and an action."""
    rules = [rule for name, text in load_catalogue().items() for rule in load_rules(parse_document(text, name))]
    assert len({rule.id for rule in rules}) == len(rules) >= 8
    assert all(rule.message and rule.action for rule in rules)
    assert {rule.when.kind for rule in rules} <= set(KINDS)


@pytest.mark.parametrize(
    ("when", "applies_to", "sentence"),
    [
        (
            '{above: {limit: 8 °C, comparison: ">", for: 10h, clear: 8 °C}}',
            "{quantity: temperature, equipment: [fridge, cold_room]}",
            "Alarm when the vaccine compartment of a fridge or a cold room is above 8 °C without a break for 10 h.",
        ),
        (
            '{below: {limit: 0.25, comparison: "<=", for: 1h30min, clear: 30 %}}',
            "{quantity: tank_level}",
            "Alarm when the tank level is at or below 25 % without a break for 1 h 30 min; it ends at 30 % or above.",
        ),
        (
            '{outside: {low: {limit: 2, comparison: "<"}, high: {limit: $limits.top, comparison: ">", clear: 7}}}',
            "{quantity: temperature, equipment: [tap]}",
            "Alarm when the temperature of a tap is below 2 °C or above its own limit “top”; it ends at 7 °C or below.",
        ),
        (
            "{is: {state: off, for: 5min}}",
            "{quantity: supply, equipment: [mains, ups]}",
            "Alarm when the supply of a mains supply or a UPS is off without a break for 5 min.",
        ),
        ("{silent_for: 30min}", "{node: any}", "Alarm when a node has sent nothing for 30 min."),
        (
            "{silent_for: {for: 1h}}",
            "{quantity: any}",
            "Alarm when anything measured has sent no usable reading, although its node reports, for 1 h.",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(when: str, applies_to: str, sentence: str) -> None:
    """Limits as they were written, plain numbers in the unit that people read."""
    assert describe(one_rule(when, applies_to=applies_to)[0]) == sentence


def said(when: str, *channels: object, applies_to: str = "{quantity: temperature}") -> list[str]:
    """Return what checking a rule against a registry with these channels says."""
    directory = directory_of(*channels)  # type: ignore[arg-type]  # channels
    return [str(problem) for problem in check_rules(one_rule(when, applies_to=applies_to), directory)]


def test_a_sound_rule_has_no_findings() -> None:
    """Nothing to say is an empty list."""
    assert said('{above: {limit: $limits.high, comparison: ">", for: 5min}}', channel(limits={"high": 8.0})) == []


def test_a_duration_shorter_than_the_interval_is_found() -> None:
    """Such a rule would open with the second reading whatever its duration says."""
    slow = channel(interval=timedelta(minutes=15))
    assert said('{above: {limit: 8, comparison: ">", for: 5min}}', slow) == [
        "rules.yaml:7:47: rules.0.when.above.for: found 5 min, shorter than the interval between readings of probe; "
        "allowed: at least 15 min, or no 'for' where one reading is to be enough"
    ]


def test_a_limit_that_the_registry_lacks_is_found() -> None:
    """With the name that was probably meant."""
    channels = [channel(limits={"high": 8.0}), channel("b", limits={"high": 8.0}), channel("c", limits={"high": 8.0})]
    assert said('{above: {limit: $limits.hihg, comparison: ">"}}', *channels) == [
        "rules.yaml:7:20: rules.0.when.above.limit: found $limits.hihg, which is not set for probe and 2 other "
        "channels: the rule does not judge there; allowed: one of high (did you mean high?)"
    ]


def test_a_clear_level_on_the_wrong_side_of_a_registered_limit_is_found() -> None:
    """It depends on the channel, and so does the finding."""
    channels = [channel(limits={"high": 8.0}), channel("warm", limits={"high": 25.0})]
    assert said('{above: {limit: $limits.high, comparison: ">", clear: 20 °C}}', *channels) == [
        "rules.yaml:7:58: rules.0.when.above.clear: found a clear level of 20 °C at probe; "
        "allowed: 8 °C or below: an alarm above 8 °C cannot end above 8 °C"
    ]


def test_a_registered_limit_in_another_unit_is_found() -> None:
    """Twenty is no ratio: somebody wrote percent."""
    tank = channel("tank", "tank_level", limits={"low": 20.0})
    assert said('{below: {limit: $limits.low, comparison: "<"}}', tank, applies_to="{quantity: tank_level}") == [
        "rules.yaml:7:20: rules.0.when.below.limit: found $limits.low = 20 at tank; allowed: from 0 to 1, in ratio"
    ]


def test_a_rule_that_judges_nothing_is_found() -> None:
    """No channel of that quantity, or none at that kind of equipment."""
    when = '{above: {limit: 5, comparison: ">"}}'
    assert said(when, applies_to="{quantity: voltage}") == [
        "rules.yaml:6:18: rules.0.applies_to.quantity: found 'voltage', which no registered channel measures; "
        "allowed: one of temperature"
    ]
    assert said(when, applies_to="{quantity: temperature, equipment: [freezer]}") == [
        "rules.yaml:6:41: rules.0.applies_to.equipment: found no temperature measured at freezer; "
        "allowed: where temperature is measured: fridge"
    ]


def test_the_examples_of_the_documentation_are_right() -> None:
    """Every YAML block of docs/rules.md is a document that loads, and its tests agree."""
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    documents = [load_rules(parse_document(block, "docs/rules.md")) for block in blocks]
    assert [len(rules) for rules in documents] == [1, 5, 7, 5, 1]
    outcomes = [outcome for rules in documents for outcome in prove(rules)]
    assert len(outcomes) == text.count("- it: ")
    assert [each.difference for each in outcomes if each.difference] == []
