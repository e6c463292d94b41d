"""Promise: an edit of the rules, as a reload or over a restart, at any moment among arrivals in any order."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.episode import ChangeKind
from rules.model import Rule
from tests.rules.judging import World, rules_of
from tests.rules.test_arrival_order import RULES, Series, arrivals, late, outcome

EDITED = rules_of(
    """
    rules:
      - id: at-once
        title: Another limit
        severity: warning
        applies_to: {quantity: temperature}
        when: {above: {limit: 7 °C, comparison: ">="}}
      - id: lasting
        title: Another time, another clear level, another severity
        severity: warning
        applies_to: {quantity: temperature}
        when: {above: {limit: 8 °C, comparison: ">=", for: 2min, clear: 5 °C}}
      - id: either-side
        title: Another kind
        severity: warning
        applies_to: {quantity: temperature}
        when: {below: {limit: 2 °C, comparison: "<", for: 2min}}
      - id: new
        title: One that was not there
        severity: info
        applies_to: {quantity: temperature}
        when: {below: {limit: 3 °C, comparison: "<="}}
    """
)
"""Every reading of an episode that is open by ``RULES`` belongs to it by these as well; else see the last test."""
FINE = 4.0
"""Here every rule that the edit changes is at rest, by either definition."""


ONE = """
rules:
  - id: warm
    title: Warm
    severity: critical
    applies_to: {{quantity: temperature}}
    when: {{above: {{limit: {limit} °C, comparison: ">"}}}}
"""


def reload(world: World, rules: list[Rule]) -> None:
    """Edit the rules while the service runs."""
    for change in world.engine.replace_rules(rules, world.directory):
        world._apply(change)
    world.save()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(), st.data())
def test_a_reload_of_the_same_rules_changes_nothing(drawn: tuple[Series, list[Series]], data: st.DataObject) -> None:
    """Not one change more, less or other, wherever it comes."""
    _, batches = drawn
    steady, reloaded = World(RULES), World(RULES)
    for batch in batches:
        if data.draw(st.booleans()):
            reload(reloaded, RULES)
        assert reloaded.arrive(*late(batch)) == steady.arrive(*late(batch))
    assert reloaded.outcome() == steady.outcome()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(), st.data())
def test_an_edit_by_a_reload_is_an_edit_over_a_restart(drawn: tuple[Series, list[Series]], data: st.DataObject) -> None:
    """Timers and open episodes are kept or ended alike, also while late readings wait."""
    _, batches = drawn
    reloaded, restarted = World(RULES), World(RULES)
    edit_after = data.draw(st.integers(0, len(batches) - 1))
    for number, batch in enumerate(batches):
        if data.draw(st.booleans()):
            reloaded.step_only(*late(batch))
            restarted.step_only(*late(batch))
        else:
            assert reloaded.arrive(*late(batch)) == restarted.arrive(*late(batch))
        if number == edit_after:
            reload(reloaded, EDITED)
            restarted.restart(EDITED)
            assert reloaded.outcome() == restarted.outcome()
    assert reloaded.arrive() == restarted.arrive()
    assert reloaded.outcome() == restarted.outcome()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(), arrivals())
def test_after_an_edit_at_rest_any_order_of_arrival_gives_the_same(
    before: tuple[Series, list[Series]], after: tuple[Series, list[Series]]
) -> None:
    """What was judged before stays as it was judged; what is measured after the edit is judged by the new rules."""
    past, _ = before
    edit_at = past[-1][0] + 1 if past else 0
    ordered, batches = after
    shift = edit_at + 1

    def edited_world() -> World:
        world = World(RULES)
        world.arrive(*late([*past, (edit_at, FINE)]))
        reload(world, EDITED)
        world.arrive(*late([(shift, FINE)]))
        return world

    straight, permuted = edited_world(), edited_world()
    for each in late([(at + shift + 1, value) for at, value in ordered]):
        straight.arrive(each)
    for batch in batches:
        permuted.arrive(*late([(at + shift + 1, value) for at, value in batch]))
    assert outcome(permuted) == outcome(straight)


def test_of_an_episode_that_is_taken_back_nothing_more_is_told() -> None:
    """The limit was raised while it went on, its first reading comes once more, and then a reading that is fine."""
    world = World(rules_of(ONE.format(limit=8)))
    first, *others = late([(0, 9.0), (1, 9.0), (2, 9.0)])
    world.arrive(first, *others)
    reload(world, rules_of(ONE.format(limit=10)))
    told = [change.kind for change in world.arrive(first)]
    later = [change.kind for change in world.arrive(first, *late([(3, 9.0)]))]
    assert ChangeKind.RETRACTED not in told or later == []
