"""Receipts: selective, idempotent, and refused as a whole where they are not receipts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.receipt import MAX_RECEIPT_BYTES, MAX_SEQ, Receipt
from domain.rejection import PayloadError, Reason

seqs = st.lists(st.integers(0, 500), max_size=60)


@given(numbers=seqs, rejected=st.integers(0, 10_000))
def test_a_receipt_survives_the_wire(numbers: list[int], rejected: int) -> None:
    """Decoding undoes encoding."""
    receipt = Receipt.of("1f0c9a77", numbers, rejected)
    assert Receipt.decode(receipt.encode()) == receipt


@given(numbers=seqs)
def test_a_receipt_covers_exactly_what_it_was_made_of(numbers: list[int]) -> None:
    """Order and repetition do not matter, gaps stay gaps, and neighbours share a range."""
    receipt = Receipt.of("1f0c9a77", numbers)
    assert {seq for seq in range(502) if receipt.covers("1f0c9a77", seq)} == set(numbers)
    assert all(
        later[0] - earlier[1] > 1 for earlier, later in zip(receipt.received, receipt.received[1:], strict=False)
    )


def test_another_life_of_the_outbox_is_not_covered() -> None:
    """The same number under another epoch is another batch."""
    receipt = Receipt.of("1f0c9a77", [4])
    assert not receipt.covers("00000000", 4)
    assert not receipt.covers(None, None)


def test_unknown_fields_are_left_alone() -> None:
    """A newer collector may say more than this node understands."""
    payload = json.dumps({"epoch": "a", "received": [[1, 2]], "rejected": 0, "more": [1]}).encode()
    assert Receipt.decode(payload) == Receipt("a", ((1, 2),), 0)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"epoch": 5, "received": []}',
        b'{"epoch": "a"}',
        b'{"epoch": "a", "received": [[2, 1]]}',
        b'{"epoch": "a", "received": [[1]]}',
        b'{"epoch": "a", "received": [[true, true]]}',
        b'{"epoch": "a", "received": [[-1, 1]]}',
        b'{"epoch": "a", "received": [["1", "2"]]}',
        b'{"epoch": "a", "received": [[1, 2]], "rejected": "none"}',
        b'{"epoch": "a", "received": [[1, %d]]}' % (MAX_SEQ + 1),
    ],
)
def test_what_is_no_receipt_is_refused(payload: bytes) -> None:
    """Nothing is deleted on the word of something that is not a receipt."""
    with pytest.raises(PayloadError) as refusal:
        Receipt.decode(payload)
    assert refusal.value.reason in {Reason.MALFORMED, Reason.TOO_LARGE}


def test_a_huge_receipt_is_refused_unread() -> None:
    """A receipt is small; something huge is somebody else's."""
    with pytest.raises(PayloadError) as refusal:
        Receipt.decode(b" " * (MAX_RECEIPT_BYTES + 1))
    assert refusal.value.reason is Reason.TOO_LARGE
