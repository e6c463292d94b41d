"""The life of an alert: laws that the whole table obeys, and the transitions that people rely on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle import ONGOING, TABLE, AlertEvent, Effect, ImpossibleEventError, allowed_events, step, walk
from domain.alert import AlertState

ALARMS = {Effect.NOTIFY_RAISED, Effect.NOTIFY_WORSENED}
BY_A_PERSON_OR_DESIGN = {
    AlertEvent.ACKNOWLEDGED,
    AlertEvent.SHELVED,
    AlertEvent.SUPPRESSED,
    AlertEvent.TAKEN_OUT_OF_SERVICE,
}


def closure(start: AlertState, without: frozenset[AlertEvent] = frozenset()) -> set[AlertState]:
    """Return every state that events other than ``without`` lead to."""
    reached, frontier = {start}, [start]
    while frontier:
        state = frontier.pop()
        for event in allowed_events(state) - without:
            following = step(state, event).state
            if following not in reached:
                reached.add(following)
                frontier.append(following)
    return reached


def test_every_state_is_reached_from_normal() -> None:
    """An alert begins as normal, and no state is there for nothing."""
    assert closure(AlertState.NORMAL) == set(AlertState)


@pytest.mark.parametrize("state", AlertState)
def test_every_state_leads_back_to_normal(state: AlertState) -> None:
    """No alert can be stuck."""
    assert AlertState.NORMAL in closure(state)


@pytest.mark.parametrize("event", AlertEvent)
def test_every_event_happens_somewhere(event: AlertEvent) -> None:
    """No event is there for nothing."""
    assert any(known is event for _, known in TABLE)


@pytest.mark.parametrize("start", [AlertState.UNACKNOWLEDGED, AlertState.RETURNED_UNACKNOWLEDGED])
def test_nothing_that_happens_by_itself_loses_an_unacknowledged_alert(start: AlertState) -> None:
    """Only a person, a design rule or a retraction takes an unacknowledged alert off the list."""
    by_itself = closure(start, without=frozenset(BY_A_PERSON_OR_DESIGN | {AlertEvent.RETRACTED}))
    assert by_itself == {AlertState.UNACKNOWLEDGED, AlertState.RETURNED_UNACKNOWLEDGED}


@pytest.mark.parametrize(("state", "event"), TABLE)
def test_whoever_leaves_the_ongoing_states_sends_the_all_clear(state: AlertState, event: AlertEvent) -> None:
    """The end of an excursion is told from whatever state it comes, and only then."""
    following, effects = step(state, event)
    ends = state in ONGOING and following not in ONGOING
    assert (Effect.NOTIFY_ALL_CLEAR in effects) == ends


@pytest.mark.parametrize(("state", "event"), TABLE)
def test_an_alarm_always_waits_for_an_answer(state: AlertState, event: AlertEvent) -> None:
    """Whenever people are alarmed the alert is unacknowledged and an older acknowledgement is forgotten."""
    following, effects = step(state, event)
    if ALARMS & set(effects):
        assert following is AlertState.UNACKNOWLEDGED
        assert Effect.FORGET_ACKNOWLEDGEMENT in effects


@given(st.sampled_from(AlertState), st.sampled_from(AlertEvent))
def test_an_impossible_event_names_what_is_possible(state: AlertState, event: AlertEvent) -> None:
    """Whatever is not in the table is refused with the events that are."""
    if (state, event) in TABLE:
        assert step(state, event).state in AlertState
        return
    with pytest.raises(ImpossibleEventError) as caught:
        step(state, event)
    assert set(caught.value.allowed) == allowed_events(state)
    assert all(allowed in str(caught.value) for allowed in caught.value.allowed)


@given(st.sampled_from(AlertState), st.lists(st.sampled_from(AlertEvent), max_size=6))
def test_walking_is_stepping(state: AlertState, events: list[AlertEvent]) -> None:
    """Several events at once do what they do one by one."""
    try:
        whole = walk(state, events)
    except ImpossibleEventError:
        return
    for event in events:
        state, _ = step(state, event)
    assert whole.state is state


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([AlertEvent.RAISED], AlertState.UNACKNOWLEDGED),
        ([AlertEvent.RAISED, AlertEvent.ACKNOWLEDGED], AlertState.ACKNOWLEDGED),
        ([AlertEvent.RAISED, AlertEvent.ACKNOWLEDGED, AlertEvent.WORSENED], AlertState.UNACKNOWLEDGED),
        ([AlertEvent.RAISED, AlertEvent.RETURNED], AlertState.RETURNED_UNACKNOWLEDGED),
        ([AlertEvent.RAISED, AlertEvent.RETURNED, AlertEvent.ACKNOWLEDGED], AlertState.NORMAL),
        ([AlertEvent.RAISED, AlertEvent.ACKNOWLEDGED, AlertEvent.RETURNED], AlertState.NORMAL),
        ([AlertEvent.RAISED, AlertEvent.SHELVED, AlertEvent.WORSENED], AlertState.UNACKNOWLEDGED),
        ([AlertEvent.RAISED_OUT_OF_SERVICE, AlertEvent.WORSENED], AlertState.OUT_OF_SERVICE),
        ([AlertEvent.RAISED_SUPPRESSED, AlertEvent.UNSUPPRESSED], AlertState.UNACKNOWLEDGED),
    ],
)
def test_lives_that_people_know(events: list[AlertEvent], state: AlertState) -> None:
    """Acknowledge while it goes on, re-alarm on worsening, stay on the list after an unanswered return."""
    assert walk(AlertState.NORMAL, events).state is state
