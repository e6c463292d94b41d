"""Rules edited while readings stream in: of the rules that stay, no timer, no window and no episode is lost."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.documents import parse_document
from domain.reading import Reading
from rules.loader import load_rules
from rules.model import Rule
from tests.app.judging import RULES, Bench, bench, play
from tests.app.test_judge_kill import streams

COMING_AND_GOING = load_rules(
    parse_document(
        """
        rules:
          - id: now-and-then
            title: In force now and then
            severity: info
            applies_to: {quantity: temperature}
            when: {changes_faster_than: {by: 2 °C, within: 10min}}
          - id: often
            title: Another one
            severity: info
            applies_to: {quantity: temperature}
            when: {above: {limit: 7 °C, comparison: ">="}}
        """,
        "more.yaml",
    )
)
KEPT = {rule.id for rule in RULES}


async def outcome(stream: Sequence[Reading], edits: Sequence[bool]) -> list[tuple[object, ...]]:
    """Return the episodes of the rules that stay; after each reading others come or go where ``edits`` says so."""
    with tempfile.TemporaryDirectory() as folder:
        async with bench(Path(folder)) as made:
            for each, edited in zip(stream, edits, strict=True):
                await play(made, [each])
                if edited:
                    _edit(made)
            return [figures for figures in await made.figures() if figures[0] in KEPT]


def _edit(made: Bench) -> None:
    rules: list[Rule] = [*RULES, *(COMING_AND_GOING if len(made.rules) == len(RULES) else ())]
    made.rules = rules
    made.judge.replace_rules(rules)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stream=streams(), data=st.data())
def test_edits_change_no_episode_of_a_rule_that_stays(stream: list[Reading], data: st.DataObject) -> None:
    """However often other rules are put in force and taken out, those that stay find what they would have found."""
    edits = data.draw(st.lists(st.booleans(), min_size=len(stream), max_size=len(stream)))
    assert asyncio.run(outcome(stream, edits)) == asyncio.run(outcome(stream, [False] * len(stream)))
