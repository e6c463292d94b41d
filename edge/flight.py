"""What is under way: the decision which batches to send now, without a clock, a socket or a disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from domain.receipt import Receipt
from domain.topics import UpLane
from edge.outbox import Outgoing
from edge.pacing import TokenBucket

LONGEST_TIMEOUT_FACTOR = 20


class Step(NamedTuple):
    """What to send now, and how long to wait, at most, before deciding again; None means until something happens."""

    send: tuple[Outgoing, ...]
    wait_s: float | None


class Flight:
    """The batches that were sent on this connection and have no receipt yet."""

    def __init__(self, *, window: int, receipt_timeout_s: float, backfill: TokenBucket | None) -> None:
        self._window = window
        self._first_timeout_s = receipt_timeout_s
        self._timeout_s = receipt_timeout_s
        self._backfill = backfill
        self._sent_at_s: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._sent_at_s)

    def landed(self, receipt: Receipt, epoch: str) -> None:
        """Forget the batches that a receipt names; whoever answers is waited for as patiently as at first."""
        landed = [seq for seq in self._sent_at_s if receipt.covers(epoch, seq)]
        for seq in landed:
            del self._sent_at_s[seq]
        if landed:
            self._timeout_s = self._first_timeout_s

    def decide(self, batches: Sequence[Outgoing], now_s: float) -> Step:
        """Return which of the batches to send now, in their order; they count as sent from now on."""
        self._forget_late(now_s)
        waits = [sent_at_s + self._timeout_s - now_s for sent_at_s in self._sent_at_s.values()]
        send: list[Outgoing] = []
        for batch in batches:
            if batch.seq in self._sent_at_s:
                continue
            if len(self._sent_at_s) >= self._window:
                break
            if (wait_s := self._pace(batch, now_s)) > 0:
                waits.append(wait_s)
                break
            self._sent_at_s[batch.seq] = now_s
            waits.append(self._timeout_s)
            send.append(batch)
        return Step(tuple(send), min(waits, default=None))

    def _forget_late(self, now_s: float) -> None:
        late = [seq for seq, sent_at_s in self._sent_at_s.items() if now_s - sent_at_s >= self._timeout_s]
        for seq in late:
            del self._sent_at_s[seq]
        if late:
            # Nobody answers: the broker takes messages and the collector is away. Each copy fills the broker's queue.
            self._timeout_s = min(self._timeout_s * 2, self._first_timeout_s * LONGEST_TIMEOUT_FACTOR)

    def _pace(self, batch: Outgoing, now_s: float) -> float:
        if batch.lane is UpLane.LIVE or self._backfill is None:
            return 0.0
        return self._backfill.wait_s(batch.readings, now_s)
