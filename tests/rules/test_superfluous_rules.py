"""``vitals check`` names a rule that another one makes superfluous, and no other."""

from __future__ import annotations

import pytest

from rules.check import check_rules
from tests.rules.judging import channel, directory_of, rules_of

PAIR = """
    rules:
      - id: one
        title: One
        severity: {one[0]}
        applies_to: {{quantity: temperature}}
        when: {{above: {{limit: "{one[1]}", comparison: "{one[2]}", for: {one[3]}}}}}
      - id: other
        title: Other
        severity: {other[0]}
        applies_to: {{quantity: temperature}}
        when: {{above: {{limit: "{other[1]}", comparison: "{other[2]}", for: {other[3]}}}}}
"""
Said = tuple[str, str, str, str]
"""Severity, limit, comparison, time."""
CASES: list[tuple[Said, Said, list[str]]] = [
    (("warning", "8 °C", ">", "1h"), ("critical", "8 °C", ">", "30min"), ["one"]),
    (("warning", "9 °C", ">", "1h"), ("warning", "8 °C", ">", "1h"), ["one"]),
    (("warning", "8 °C", ">", "1h"), ("warning", "8 °C", ">=", "1h"), ["one"]),
    (("warning", "8 °C", ">=", "1h"), ("warning", "8 °C", ">", "30min"), []),
    (("critical", "8 °C", ">", "10h"), ("warning", "8 °C", ">", "30min"), []),
    (("critical", "12 °C", ">", "30min"), ("critical", "8 °C", ">", "10h"), []),
    (("warning", "8 °C", ">", "1h"), ("warning", "46.4 °F", ">", "1h"), ["other"]),
    (("warning", "$limits.high", ">", "1h"), ("warning", "7 °C", ">", "1h"), ["one"]),
    (("warning", "$limits.high", ">", "1h"), ("warning", "9 °C", ">", "1h"), ["other"]),
]


@pytest.mark.parametrize(("one", "other", "named"), CASES)
def test_a_rule_that_tells_nothing_new_is_named(one: Said, other: Said, named: list[str]) -> None:
    """Wherever it would tell, the other has told by then, and at least as gravely; of two equal ones, one is named."""
    found = check_rules(rules_of(PAIR.format(one=one, other=other)), directory_of(channel(limits={"high": 8.0})))
    superfluous = [problem for problem in found if "does not tell as well" in problem.found]
    assert ["one" if problem.field.startswith("rules.0") else "other" for problem in superfluous] == named


def test_a_rule_that_judges_elsewhere_too_is_not_superfluous() -> None:
    """Only where the other judges every channel that this one does."""
    text = PAIR.format(one=CASES[0][0], other=CASES[0][1]).replace(
        "applies_to: {quantity: temperature}", "applies_to: {quantity: temperature, equipment: fridge}"
    )
    rules = rules_of(text.replace("equipment: fridge}", "equipment: [fridge, mains]}", 1))
    directory = directory_of(channel("a"), channel("b", equipment="mains-1"))
    assert [problem for problem in check_rules(rules, directory) if "as well" in problem.found] == []
