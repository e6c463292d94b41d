"""Nodes: last heard, last said, and what of it survives a restart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.nodes import MAX_STATE_BYTES, NodeState, NodeStates, decode_state
from domain.reading import Quality, Reading
from domain.rejection import PayloadError, Reason
from tests.collector.intake import directory


def test_the_newest_stored_readings_tell_when_nodes_were_heard() -> None:
    """After a restart nobody is forgotten; a channel that left the registry tells nothing."""
    nodes = NodeStates()
    stored = [
        Reading("n1.fridge", 1, 4.0, Quality.GOOD, 100),
        Reading("n1.mains", 9, 230.0, Quality.GOOD, 50),
        Reading("gone", 9, 1.0, Quality.GOOD, 999),
    ]
    nodes.restore(stored, directory("n1", "n2"))
    assert dict(nodes.last_heard_ms) == {"n1": 100}


def test_nodes_that_left_the_registry_are_forgotten() -> None:
    """What is remembered is bounded by the registry."""
    nodes = NodeStates()
    for node in ("n1", "n2"):
        nodes.said(node, NodeState(online=True, fields={}, received_at_ms=5), retained=False)
    nodes.forget_unregistered(directory("n2"))
    assert list(nodes.states) == ["n2"]
    assert list(nodes.last_heard_ms) == ["n2"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"[]", Reason.MALFORMED),
        (b'{"online": 1}', Reason.MALFORMED),
        (b'{"online": true, "x": NaN}', Reason.MALFORMED),
        (b"\xff", Reason.MALFORMED),
        (b'{"online": true, "x": ' + b"[" * 3_000 + b"]" * 3_000 + b"}", Reason.TOO_LARGE),
        (b"[" * MAX_STATE_BYTES, Reason.TOO_DEEP),
    ],
)
def test_a_bad_state_is_refused_with_its_reason(payload: bytes, reason: Reason) -> None:
    """A state is a small JSON object that says whether the node is online."""
    with pytest.raises(PayloadError) as caught:
        decode_state(payload, 0)
    assert caught.value.reason is reason


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_state_or_a_payload_error(payload: bytes) -> None:
    """Nothing else is ever raised."""
    try:
        state = decode_state(payload, 1)
    except PayloadError:
        return
    assert isinstance(state.online, bool)
