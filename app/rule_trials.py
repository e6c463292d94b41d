"""``vitals rules``: rules as sentences, their own tests, and stories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree import ElementTree as ET

from app.stories.play import run_case
from app.stories.story import read_story
from domain.errors import OperatorError
from rules.model import Rule
from rules.proving import prove
from rules.sentence import describe


def list_rules(rules: Sequence[Rule], *, say: Callable[[str], None]) -> None:
    """Say what each rule does."""
    for rule in rules:
        say(f"{rule.id}\n    {describe(rule)}")
        if rule.action:
            say(f"    {rule.action}")


class Tried(NamedTuple):
    """The outcome of one test, whatever it was of."""

    of: str
    """The id of a rule, or the folder of a story."""
    it: str
    difference: str
    """What was expected and what came; empty where they agree."""


async def try_rules(
    rules: Sequence[Rule], stories: Sequence[Path], *, junit: Path | None, say: Callable[[str], None]
) -> bool:
    """Try every test of every rule and play every story, say what came of it, and return whether all agree."""
    tried: list[Tried] = []
    for outcome in prove(rules):
        tried.append(Tried(outcome.rule.id, outcome.trial.it, outcome.difference))
        _say(tried[-1], say)
    for folder in stories:
        with TemporaryDirectory() as data:
            found = await run_case(folder, Path(data) / "data")
        tried.append(Tried(str(folder), read_story(folder)[0].sentence, found))
        _say(tried[-1], say)
    if junit is not None:
        _write_junit(junit, tried)
    if untested := [rule.id for rule in rules if not rule.tests]:
        say(f"without a test: {', '.join(untested)}")
    failed = sum(bool(each.difference) for each in tried)
    say(f"{len(tried) - failed} passed, {failed} failed")
    return not failed


def _say(tried: Tried, say: Callable[[str], None]) -> None:
    say(f"{'FAILED' if tried.difference else 'ok    '} {tried.of} {tried.it}")
    for line in tried.difference.splitlines():
        say(f"       {line}")


def _write_junit(path: Path, tried: Sequence[Tried]) -> None:
    failed = sum(bool(each.difference) for each in tried)
    suite = ET.Element("testsuite", name="vitals rules", tests=str(len(tried)), failures=str(failed))
    for each in tried:
        case = ET.SubElement(suite, "testcase", classname=each.of, name=each.it)
        if each.difference:
            ET.SubElement(case, "failure", message=each.difference)
    try:
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}") from error
