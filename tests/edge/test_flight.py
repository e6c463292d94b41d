"""Which batches go now: the window, the pace and the patience of the publisher, decided without I/O."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from domain.receipt import Receipt
from domain.topics import UpLane
from edge.flight import LONGEST_TIMEOUT_FACTOR, Flight
from edge.outbox import Outgoing
from edge.pacing import TokenBucket, full_jitter

TIMEOUT_S = 30.0


def batches(*seqs: int, lane: UpLane = UpLane.LIVE, readings: int = 100) -> list[Outgoing]:
    """Return batches with these numbers."""
    return [Outgoing(seq, lane, readings) for seq in seqs]


def flight(window: int = 3, backfill: TokenBucket | None = None) -> Flight:
    """Return a flight with nothing under way."""
    return Flight(window=window, receipt_timeout_s=TIMEOUT_S, backfill=backfill)


def sent(step_batches: tuple[Outgoing, ...]) -> list[int]:
    """Return the numbers of what was sent."""
    return [batch.seq for batch in step_batches]


def test_what_is_under_way_is_not_sent_again() -> None:
    """Deciding twice sends once, and the next decision is due when patience ends."""
    under_way = flight()
    assert sent(under_way.decide(batches(1, 2), 100.0).send) == [1, 2]
    step = under_way.decide(batches(1, 2), 110.0)
    assert (step.send, step.wait_s) == ((), TIMEOUT_S - 10.0)


def test_nothing_to_send_means_waiting_for_news() -> None:
    """An empty outbox costs no wake-ups."""
    assert flight().decide([], 0.0).wait_s is None


def test_a_receipt_makes_room() -> None:
    """The window is the flow control: a full one waits, a receipt lets the next one go."""
    under_way = flight(window=2)
    assert sent(under_way.decide(batches(1, 2, 3), 0.0).send) == [1, 2]
    assert sent(under_way.decide(batches(1, 2, 3), 1.0).send) == []
    under_way.landed(Receipt.of("a", [1]), "b")
    assert sent(under_way.decide(batches(1, 2, 3), 2.0).send) == []
    under_way.landed(Receipt.of("a", [1]), "a")
    assert sent(under_way.decide(batches(2, 3), 3.0).send) == [3]


def test_silence_is_answered_more_and_more_rarely() -> None:
    """Without any receipt the same batch goes out again after growing, bounded waits; a receipt resets them."""
    under_way = flight()
    now_s, waits = 0.0, []
    for _ in range(8):
        step = under_way.decide(batches(1), now_s)
        assert sent(step.send) == [1]
        assert step.wait_s is not None
        waits.append(step.wait_s)
        now_s += step.wait_s
    assert waits[0] == TIMEOUT_S
    assert all(earlier <= later for earlier, later in itertools.pairwise(waits))
    assert waits[-1] == TIMEOUT_S * LONGEST_TIMEOUT_FACTOR
    under_way.landed(Receipt.of("a", [1]), "a")
    assert under_way.decide(batches(2), now_s).wait_s == TIMEOUT_S


def test_backfill_is_paced_and_live_is_not() -> None:
    """Live readings pass an exhausted bucket; backfill waits until it has filled."""
    under_way = flight(window=10, backfill=TokenBucket(rate=10.0, burst=100.0))
    first = under_way.decide(batches(1) + batches(2, 3, lane=UpLane.BACKFILL), 0.0)
    assert sent(first.send) == [1, 2]
    assert first.wait_s == 10.0
    second = under_way.decide(batches(4) + batches(3, lane=UpLane.BACKFILL), 5.0)
    assert sent(second.send) == [4]
    assert sent(under_way.decide(batches(3, lane=UpLane.BACKFILL), 10.0).send) == [3]


@given(wanted=st.lists(st.integers(1, 300), min_size=1, max_size=40), rate=st.floats(0.1, 1000))
def test_the_bucket_holds_its_rate(wanted: list[int], rate: float) -> None:
    """Whoever waits as told takes no more than the burst plus the rate, up to one batch."""
    bucket = TokenBucket(rate=rate, burst=100.0)
    now_s, taken = 0.0, 0
    for tokens in wanted:
        while (wait_s := bucket.wait_s(tokens, now_s)) > 0:
            now_s += wait_s
        taken += tokens
        assert taken <= (100.0 + rate * now_s) * (1 + 1e-6) + 300


@given(seed=st.integers())
def test_reconnecting_is_spread_over_a_growing_time(seed: int) -> None:
    """Each wait lies under a bound that doubles up to the longest (full jitter)."""
    waits = full_jitter(1.0, 60.0, random.Random(seed).random)
    bounds = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert all(0.0 <= wait <= bound for wait, bound in zip(waits, bounds, strict=False))


def test_the_bounds_of_reconnecting_double() -> None:
    """With the unluckiest chance the waits are the bounds."""
    assert list(itertools.islice(full_jitter(1.0, 10.0, lambda: 1.0), 6)) == [1, 2, 4, 8, 10, 10]
