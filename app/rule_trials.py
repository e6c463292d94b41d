"""``vitals rules``: rules as sentences, and their own tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from domain.errors import OperatorError
from rules.model import Rule
from rules.proving import Outcome, prove
from rules.sentence import describe


def list_rules(rules: Sequence[Rule], *, say: Callable[[str], None]) -> None:
    """Say what each rule does."""
    for rule in rules:
        say(f"{rule.id}\n    {describe(rule)}")
        if rule.action:
            say(f"    {rule.action}")


def try_rules(rules: Sequence[Rule], *, junit: Path | None, say: Callable[[str], None]) -> bool:
    """Try every test of every rule, say what came of it, and return whether all agree."""
    outcomes = list(prove(rules))
    for rule, of_rule in groupby(outcomes, key=lambda outcome: outcome.rule.id):
        for outcome in of_rule:
            say(f"{'FAILED' if outcome.difference else 'ok    '} {rule} {outcome.trial.it}")
            if outcome.difference:
                say(f"       {outcome.difference}")
    if junit is not None:
        _write_junit(junit, outcomes)
    untested = [rule.id for rule in rules if not rule.tests]
    if untested:
        say(f"without a test: {', '.join(untested)}")
    failed = sum(bool(outcome.difference) for outcome in outcomes)
    say(f"{len(outcomes) - failed} passed, {failed} failed")
    return not failed


def _write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    failed = sum(bool(outcome.difference) for outcome in outcomes)
    suite = ET.Element("testsuite", name="vitals rules", tests=str(len(outcomes)), failures=str(failed))
    for outcome in outcomes:
        case = ET.SubElement(suite, "testcase", classname=outcome.rule.id, name=outcome.trial.it)
        if outcome.difference:
            ET.SubElement(case, "failure", message=outcome.difference)
    try:
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}") from error
