"""A group: the messages that are committed together, and what each of them is owed afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.lanes import NOT_STORED, Done, Outcome
from domain.reading import Reading
from domain.receipt import Receipt
from domain.rejection import Rejected

BYTES_AS_ONE_READING = 1_024
"""So much of a refused payload weighs as much as a reading: refused ones are kept whole."""


class Delivery(NamedTuple):
    """What one message brought."""

    node: str | None
    """None where the topic names no node."""
    identity: tuple[str, int] | None
    """(epoch, seq) to be receipted; None for what gets no receipt."""
    readings: list[Reading]
    rejected: list[Rejected]
    done: Done | None = None

    def tell(self, *, stored: bool) -> None:
        """Say what became of the message to whoever waits for it."""
        if self.done is not None:
            self.done(Outcome(True, len(self.readings), self.rejected, self.identity) if stored else NOT_STORED)


@dataclass(slots=True)
class Group:
    """Deliveries in the order they came."""

    deliveries: list[Delivery] = field(default_factory=list)
    weight: int = 0
    """Readings and rejected together, large payloads for more than one; a delivery of nothing counts as one, so that
    even those are bounded."""

    def add(self, delivery: Delivery) -> None:
        """Append a delivery."""
        self.deliveries.append(delivery)
        refused = sum(1 + len(each.payload) // BYTES_AS_ONE_READING for each in delivery.rejected)
        self.weight += max(1, len(delivery.readings) + refused)

    def readings(self) -> list[Reading]:
        """Return all readings in order of arrival."""
        return [reading for delivery in self.deliveries for reading in delivery.readings]

    def rejected(self) -> list[Rejected]:
        """Return everything refused in order of arrival."""
        return [refused for delivery in self.deliveries for refused in delivery.rejected]

    def tell(self, *, stored: bool) -> None:
        """Say what became of each message to whoever waits for it."""
        for delivery in self.deliveries:
            delivery.tell(stored=stored)

    def halves(self) -> tuple[Group, Group]:
        """Return the first and the second half, by deliveries."""
        middle = len(self.deliveries) // 2
        first, second = Group(), Group()
        for index, delivery in enumerate(self.deliveries):
            (first if index < middle else second).add(delivery)
        return first, second

    def receipts(self) -> Iterator[tuple[str, Receipt]]:
        """Yield one receipt per node and epoch, for all batches of the group that can be receipted."""
        owed: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        refused: defaultdict[tuple[str, str], int] = defaultdict(int)
        for delivery in self.deliveries:
            if delivery.node is not None and delivery.identity is not None:
                epoch, seq = delivery.identity
                owed[delivery.node, epoch].append(seq)
                refused[delivery.node, epoch] += len(delivery.rejected)
        for (node, epoch), seqs in owed.items():
            yield node, Receipt.of(epoch, seqs, refused[node, epoch])
