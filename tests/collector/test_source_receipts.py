"""Receipts on their way: joined per node, bounded, and owed again when the connection breaks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sources.receipts import MOST_BATCHES_PER_RECEIPT, PendingReceipts, ReceiptSender
from domain.receipt import MAX_RECEIPT_BYTES, Receipt
from domain.topics import DownLane, down


class Wire:
    """A connection that hands out message ids and remembers what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, Receipt]] = []

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Take a message."""
        self.published.append((topic, Receipt.decode(payload)))
        return len(self.published)


def test_receipts_for_one_node_are_joined_while_they_wait() -> None:
    """Without a connection they collect, and go out as one message per node and epoch."""
    sender, wire = ReceiptSender(PendingReceipts(100)), Wire()
    for seq in (1, 2, 3, 5):
        sender.send("n1", Receipt.of("e1", [seq], rejected=1))
    sender.send("n2", Receipt.of("e9", [1]))
    sender.attach(wire.publish)
    assert wire.published == [
        (down("n1", DownLane.RECEIPT), Receipt("e1", ((1, 3), (5, 5)), 4)),
        (down("n2", DownLane.RECEIPT), Receipt("e9", ((1, 1),), 0)),
    ]


def test_few_are_under_way_and_the_rest_is_joined_meanwhile() -> None:
    """The broker's acknowledgements set the pace."""
    sender, wire = ReceiptSender(PendingReceipts(100), most_under_way=1), Wire()
    sender.attach(wire.publish)
    for seq in range(10):
        sender.send("n1", Receipt.of("e1", [seq]))
    assert len(wire.published) == 1
    sender.acknowledged(1)
    assert [receipt.received for _, receipt in wire.published] == [((0, 0),), ((1, 9),)]


def test_what_the_broker_did_not_acknowledge_is_sent_again() -> None:
    """A receipt is forgotten only when the broker has it."""
    sender, first, second = ReceiptSender(PendingReceipts(100)), Wire(), Wire()
    sender.attach(first.publish)
    sender.send("n1", Receipt.of("e1", [1]))
    sender.send("n1", Receipt.of("e1", [2]))
    sender.acknowledged(1)
    sender.detach()
    sender.attach(second.publish)
    assert second.published == [(down("n1", DownLane.RECEIPT), Receipt.of("e1", [2]))]


def test_beyond_the_bound_the_oldest_debt_is_dropped() -> None:
    """Its node sends again; memory is bounded whatever the broker does."""
    pending = PendingReceipts(10)
    for node in range(50):
        pending.add(f"n{node}", Receipt.of("e1", [1, 2]))
        assert len(pending) <= 10
    assert pending.dropped == 90
    assert pending.take() == ("n45", Receipt.of("e1", [1, 2]))


@settings(deadline=None)
@given(st.lists(st.integers(0, 5_000), max_size=3_000))
def test_taken_receipts_cover_exactly_what_was_owed_and_fit_the_wire(seqs: list[int]) -> None:
    """Long debts are told in several receipts of bounded size."""
    pending = PendingReceipts(100_000)
    for start in range(0, len(seqs), 7):
        pending.add("n1", Receipt.of("e1", seqs[start : start + 7]))
    told: list[int] = []
    while (owed := pending.take()) is not None:
        assert len(owed[1].encode()) <= MAX_RECEIPT_BYTES
        covered = [seq for first, last in owed[1].received for seq in range(first, last + 1)]
        assert len(covered) <= MOST_BATCHES_PER_RECEIPT
        told += covered
    assert sorted(told) == sorted(set(seqs))
    assert len(pending) == 0
