"""Bad lines are found among good ones; nothing is lost, whatever the server refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.forwarder.answers import Action, Decision
from collector.forwarder.bisection import SURELY_NOT_A_LINE, Bisection, Progress

YES = Decision(Action.ADVANCE, "204 No Content")
TOO_LARGE = Decision(Action.HALVE, "413 Content Too Large")
BAD_LINE = Decision(Action.BISECT, "400 Bad Request: unable to parse", names_a_line=True)
BAD_REQUEST = Decision(Action.BISECT, "400 Bad Request")


class WholeBatchServer:
    """Stores a request or refuses it as a whole, as 2.x does; calls long ones too large."""

    def __init__(self, bad: set[str], refusal: Decision, largest: int) -> None:
        self.bad = bad
        self.refusal = refusal
        self.largest = largest
        self.stored: set[str] = set()
        self.requests = 0

    def __call__(self, lines: Sequence[str]) -> Decision:
        """Answer a request."""
        self.requests += 1
        if len(lines) > self.largest:
            return TOO_LARGE
        if self.bad.intersection(lines):
            return self.refusal
        self.stored.update(lines)
        return YES


def drive(batch: Bisection, server: Callable[[Sequence[str]], Decision]) -> Progress:
    """Send pieces until the batch is settled or hopeless."""
    while batch.progress is Progress.OPEN:
        batch.apply(server(batch.piece))
    return batch.progress


@given(st.integers(0, 200), st.sets(st.integers(0, 199)), st.integers(1, 250))
def test_every_good_line_is_stored_and_every_bad_one_is_handed_out_once(
    count: int, bad_numbers: set[int], largest: int
) -> None:
    """Whatever lines are bad, and however small a request must be, the batch settles without loss or confusion."""
    lines = [f"line {number}" for number in range(count)]
    bad = {f"line {number}" for number in bad_numbers if number < count}
    server = WholeBatchServer(bad, BAD_LINE, largest)
    batch = Bisection(lines)
    assert drive(batch, server) is Progress.SETTLED
    assert server.stored == set(lines) - bad
    assert sorted(refused.line for refused in batch.refused) == sorted(bad)
    assert batch.stored == count - len(bad)


@pytest.mark.parametrize("position", [0, 2_499, 4_999])
@pytest.mark.parametrize("refusal", [BAD_LINE, BAD_REQUEST])
def test_one_bad_line_among_5000_costs_few_requests(position: int, refusal: Decision) -> None:
    """The search takes about two requests per halving, wherever the line is and whatever the server says of it."""
    lines = [str(number) for number in range(5_000)]
    server = WholeBatchServer({lines[position]}, refusal, 5_000)
    batch = Bisection(lines)
    assert drive(batch, server) is Progress.SETTLED
    assert [refused.line for refused in batch.refused] == [lines[position]]
    assert server.requests <= 2 * 13 + 1


@pytest.mark.parametrize("count", [1, 10, 5_000])
def test_a_server_that_takes_nothing_for_no_fault_of_a_line_gets_nothing_quarantined(count: int) -> None:
    """A wrong request is not taken for thousands of bad lines: the batch is kept, after a bounded number of tries."""
    server = WholeBatchServer({str(number) for number in range(count)}, BAD_REQUEST, 5_000)
    assert drive(Bisection([str(number) for number in range(count)]), server) is Progress.HOPELESS
    assert server.requests <= 2 * SURELY_NOT_A_LINE


def test_the_server_may_drop_a_whole_request_at_once() -> None:
    """Where the server counts every line as dropped, the lines are not tried one by one."""
    batch = Bisection(["a", "b", "c"])
    batch.apply(Decision(Action.BISECT, "field type conflict dropped=3", names_a_line=True, dropped=3))
    assert batch.progress is Progress.SETTLED
    assert [refused.line for refused in batch.refused] == ["a", "b", "c"]


def test_expired_lines_are_counted_and_not_searched_for() -> None:
    """Lines older than the server keeps settle with the request that carried them."""
    batch = Bisection(["a", "b", "c"])
    batch.apply(Decision(Action.EXPIRED, "points beyond retention policy dropped=2", dropped=2))
    assert (batch.progress, batch.stored, batch.expired, batch.refused) == (Progress.SETTLED, 1, 2, [])


@pytest.mark.parametrize("action", [Action.HOLD, Action.RETRY])
def test_waiting_changes_nothing(action: Action) -> None:
    """A piece that was neither taken nor refused is the next to be sent."""
    batch = Bisection(["a", "b"])
    batch.apply(Decision(action, "503"))
    assert (batch.progress, list(batch.piece)) == (Progress.OPEN, ["a", "b"])


def test_an_empty_batch_is_settled() -> None:
    """Readings without a line leave nothing to send."""
    assert Bisection([]).progress is Progress.SETTLED
