"""What can be done with an alert fits the table of its life, and what the actions then do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.allowed import AllowedAction, Standing, allowed_actions
from alerts.closing import Closed, Closing
from alerts.lifecycle import TABLE, AlertEvent
from domain.alert import Alert, AlertState
from domain.episode import Severity, SubjectKind
from tests.alerts.given import NOON

CLOSED = Closed(Closing("door"), "Grace", NOON)
ALERT = Alert(
    id=1,
    episode="e1",
    rule="heat",
    severity=Severity.CRITICAL,
    state=AlertState.UNACKNOWLEDGED,
    subject_kind=SubjectKind.CHANNEL,
    subject="kasese-3.fridge-2.temperature",
    facility="kasese-3",
    started_at=NOON,
    raised_at=NOON,
)
TAKE, HELP, SHELVE = AllowedAction.ACKNOWLEDGE, AllowedAction.ASK_FOR_HELP, AllowedAction.SHELVE
UNSHELVE, CLOSE = AllowedAction.UNSHELVE, AllowedAction.CLOSE


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (AlertState.UNACKNOWLEDGED, (TAKE, HELP, SHELVE)),
        (AlertState.ACKNOWLEDGED, (HELP, SHELVE)),
        (AlertState.RETURNED_UNACKNOWLEDGED, (TAKE, CLOSE)),
        (AlertState.SHELVED, (TAKE, HELP, SHELVE, UNSHELVE)),
        (AlertState.SUPPRESSED, (TAKE, HELP)),
        (AlertState.OUT_OF_SERVICE, (TAKE, HELP)),
        (AlertState.NORMAL, (CLOSE,)),
    ],
)
def test_each_state_allows_what_makes_sense_in_it(state: AlertState, allowed: tuple[AllowedAction, ...]) -> None:
    """Of an alert that nobody has answered yet and that belongs to an incident."""
    assert allowed_actions(replace(ALERT, state=state), Standing(1)) == allowed


@given(st.sampled_from(AlertState), st.booleans(), st.sampled_from((None, 1)), st.sampled_from((None, CLOSED)))
def test_nothing_is_allowed_that_the_table_forbids(
    state: AlertState, taken: bool, incident: int | None, closed: Closed | None
) -> None:
    """Nor is anything taken or closed twice, or help called to what nobody was told of."""
    alert = replace(ALERT, state=state, acknowledged_at=NOON if taken else None)
    allowed = allowed_actions(alert, Standing(incident, closed))
    for action, event in ((SHELVE, AlertEvent.SHELVED), (UNSHELVE, AlertEvent.UNSHELVED)):
        assert (action in allowed) == ((state, event) in TABLE)
    assert not (taken and TAKE in allowed)
    assert not (incident is None and HELP in allowed)
    assert not (closed is not None and CLOSE in allowed)
    assert not {HELP, CLOSE} <= set(allowed)
