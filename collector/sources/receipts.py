"""Receipts that wait to be sent: joined per node, bounded, taken back when a connection breaks."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.receipt import Receipt
from domain.topics import DownLane, down

MOST_BATCHES_PER_RECEIPT = 1_000

Publish = Callable[[str, bytes], int | None]
"""Hands topic and payload to a connection and returns the message's id at once; None where it cannot."""


@dataclass(slots=True)
class _Owed:
    seqs: set[int] = field(default_factory=set)
    rejected: int = 0


class PendingReceipts:
    """What is owed to each (node, epoch), oldest first.

    At most ``most_batches`` are held: beyond that the oldest debt is dropped, which costs its node a repetition and
    loses nothing, for a batch without a receipt is sent again and receipted again.
    """

    def __init__(self, most_batches: int) -> None:
        self._most_batches = most_batches
        self._owed: OrderedDict[tuple[str, str], _Owed] = OrderedDict()
        self._batches = 0
        self.dropped = 0
        """Batches whose receipt was dropped."""

    def __len__(self) -> int:
        return self._batches

    def add(self, node: str, receipt: Receipt) -> None:
        """Owe this receipt too, joined with what the node is owed already."""
        owed = self._owed.setdefault((node, receipt.epoch), _Owed())
        before = len(owed.seqs)
        for first, last in receipt.received:
            owed.seqs.update(range(first, last + 1))
        owed.rejected += receipt.rejected
        self._batches += len(owed.seqs) - before
        while self._batches > self._most_batches:
            _, oldest = self._owed.popitem(last=False)
            self._batches -= len(oldest.seqs)
            self.dropped += len(oldest.seqs)

    def take(self) -> tuple[str, Receipt] | None:
        """Return the oldest debt as one receipt of bounded size, or None when nothing is owed."""
        if not self._owed:
            return None
        (node, epoch), owed = self._owed.popitem(last=False)
        seqs = sorted(owed.seqs)
        now, later = seqs[:MOST_BATCHES_PER_RECEIPT], seqs[MOST_BATCHES_PER_RECEIPT:]
        self._batches -= len(now)
        if later:
            self._owed[node, epoch] = _Owed(set(later))
        return node, Receipt.of(epoch, now, owed.rejected)


class ReceiptSender:
    """Publishes receipts over whichever connection there is, and remembers each until the broker has it.

    What is owed to a node within ``delay_seconds`` goes out as one receipt, and so does what is added while as many
    as allowed are under way: a busy collector sends few and long ones.
    """

    def __init__(self, pending: PendingReceipts, *, delay_seconds: float = 0.0, most_under_way: int = 1_000) -> None:
        self.pending = pending
        self._delay_seconds, self._most_under_way = delay_seconds, most_under_way
        self._planned: asyncio.TimerHandle | None = None
        self._under_way: dict[int, tuple[str, Receipt]] = {}
        self._publish: Publish | None = None

    def send(self, node: str, receipt: Receipt) -> None:
        """Publish this receipt soon after there is a connection with room for it."""
        self.pending.add(node, receipt)
        if not self._delay_seconds:
            self._send_on()
        elif self._planned is None:
            self._planned = asyncio.get_running_loop().call_later(self._delay_seconds, self._send_on)

    def attach(self, publish: Publish) -> None:
        """Use this connection from now on."""
        self._publish = publish
        self._send_on()

    def detach(self) -> None:
        """Use no connection until the next ``attach``; what the broker did not acknowledge is owed again."""
        self._publish = None
        for node, receipt in self._under_way.values():
            self.pending.add(node, receipt)
        self._under_way.clear()

    def acknowledged(self, message_id: int) -> None:
        """Note that the broker has the message with this id."""
        was_full = len(self._under_way) >= self._most_under_way
        self._under_way.pop(message_id, None)
        if was_full:
            self._send_on()

    def _send_on(self) -> None:
        self._planned = None
        while self._publish is not None and len(self._under_way) < self._most_under_way:
            owed = self.pending.take()
            if owed is None:
                return
            node, receipt = owed
            message_id = self._publish(down(node, DownLane.RECEIPT), receipt.encode())
            if message_id is None:
                self.pending.add(node, receipt)
                return
            self._under_way[message_id] = owed
