"""Acknowledgements keep the order of the messages, and leave out what is not stored."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.sources.acknowledgements import Acknowledgements


@given(st.permutations(range(8)), st.lists(st.booleans(), min_size=8, max_size=8))
def test_whatever_the_order_of_outcomes_acknowledgements_go_out_in_order(order: list[int], stored: list[bool]) -> None:
    """Outcomes may come in any order; what is stored is acknowledged once, in the order it came, the rest never."""
    sent: list[int] = []
    owed = Acknowledgements(sent.append)
    settle = [owed.expect(message_id) for message_id in range(8)]
    for message_id in order:
        settle[message_id](stored[message_id])
    assert sent == [message_id for message_id in range(8) if stored[message_id]]
    assert len(owed) == 0


def test_nothing_is_acknowledged_on_a_connection_that_is_gone() -> None:
    """An outcome that comes after the connection ended acknowledges nothing: the id may mean another message now."""
    sent: list[int] = []
    owed = Acknowledgements(sent.append)
    settle = owed.expect(1)
    owed.close()
    settle(True)
    assert sent == []
