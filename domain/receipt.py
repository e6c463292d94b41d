"""Receipts: what the collector tells a node it has durably stored, so that the node may delete it.

On the wire, JSON on ``down/receipt``: ``{"epoch": "1f0c9a77", "received": [[1, 40], [42, 42]], "rejected": 0}``.
A receipt is selective (any set of batches) and idempotent (the same receipt twice changes nothing).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Self

from domain.rejection import PayloadError, Reason

MAX_RECEIPT_BYTES = 65_536
MAX_SEQ = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259 section 6)."""


class Receipt(NamedTuple):
    """The batches of one epoch that are safe, as closed ranges of sequence numbers, ascending."""

    epoch: str
    received: tuple[tuple[int, int], ...]
    rejected: int = 0
    """How many records of these batches were refused; they are receipted too, for sending them again cannot help."""

    @classmethod
    def of(cls, epoch: str, seqs: Iterable[int], rejected: int = 0) -> Self:
        """Return the receipt for these sequence numbers, in any order, with neighbours joined into ranges."""
        return cls(epoch, tuple(_join(sorted(set(seqs)))), rejected)

    def covers(self, epoch: str | None, seq: int | None) -> bool:
        """Tell whether the batch with this identity is safe."""
        return epoch == self.epoch and seq is not None and any(first <= seq <= last for first, last in self.received)

    def encode(self) -> bytes:
        """Return the payload for ``down/receipt``."""
        return json.dumps(self._asdict(), separators=(",", ":")).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the receipt in a payload; raise ``PayloadError`` for anything else. Unknown fields are ignored."""
        if len(payload) > MAX_RECEIPT_BYTES:
            raise PayloadError(Reason.TOO_LARGE, f"found {len(payload)} bytes; allowed: {MAX_RECEIPT_BYTES}")
        try:
            fields = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise PayloadError(Reason.MALFORMED, f"the receipt is not JSON: {type(error).__name__}") from error
        if not isinstance(fields, dict) or not isinstance(fields.get("epoch"), str):
            raise _not_a_receipt("epoch")
        rejected = fields.get("rejected", 0)
        if not _is_count(rejected):
            raise _not_a_receipt("rejected")
        return cls(fields["epoch"], _ranges(fields.get("received")), rejected)


def _join(ascending: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for seq in ascending:
        if first is None or last is None:
            first = last = seq
        elif seq == last + 1:
            last = seq
        else:
            yield first, last
            first = last = seq
    if first is not None and last is not None:
        yield first, last


def _ranges(found: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(found, list) or not all(_is_range(pair) for pair in found):
        raise _not_a_receipt("received")
    return tuple((first, last) for first, last in found)


def _is_range(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(_is_count(seq) for seq in pair) and pair[0] <= pair[1]


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SEQ


def _not_a_receipt(field: str) -> PayloadError:
    allowed = '{"epoch": text, "received": [[first, last], ...], "rejected": count}'
    return PayloadError(Reason.MALFORMED, f"found no usable field {field!r}; allowed: {allowed}")
