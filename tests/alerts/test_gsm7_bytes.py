"""The 7-bit alphabet as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.notifiers.gsm7_bytes import from_bytes, to_bytes
from domain.gsm7 import septets

LETTERS = [chr(code) for code in range(0x2100) if septets(chr(code)) is not None]


@given(st.text(alphabet=LETTERS))
def test_every_text_of_the_alphabet_comes_back_in_as_many_bytes_as_septets(text: str) -> None:
    """The bytes are what the domain counts."""
    assert from_bytes(to_bytes(text)) == text
    assert len(to_bytes(text)) == septets(text)


@given(st.binary(max_size=50))
def test_any_bytes_can_be_read(message: bytes) -> None:
    """What a phone sends never raises."""
    from_bytes(message)
