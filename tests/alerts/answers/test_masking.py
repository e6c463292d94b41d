"""What is left of addresses where people may look."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.answers.masking import masked, without_numbers

DIGITS = st.text("0123456789", min_size=7, max_size=15)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+256700000001", "…001"),
        ("0700 000 009", "…009"),
        ("amina@example.org", "…@example.org"),
        ("whatsapp:+256700000001", "…001"),
        ("471", "…"),
        ("", "…"),
    ],
)
def test_the_end_of_an_address_is_left(address: str, shown: str) -> None:
    """Three characters of a number, the domain of an e-mail address, nothing of what is shorter."""
    assert masked(address) == shown


@given(st.sampled_from(("+", "0", "00", "")), DIGITS, st.sampled_from(("call ", "")))
def test_no_number_in_a_text_can_be_dialled(prefix: str, digits: str, words: str) -> None:
    """Whatever stands before it, all but three digits are gone."""
    assert without_numbers(f"{words}{prefix}{digits} please") == f"{words}…{digits[-3:]} please"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1 4821 4822", "1 4821 4822"),
        ("9 4821 replaced 2 fuses", "9 4821 replaced 2 fuses"),
        ("Taken at 12:40, 9.4C. ref 4821", "Taken at 12:40, 9.4C. ref 4821"),
        ("my number is +256 700-000 001", "my number is …001"),
        ("ring 0700 000 009 or (0)700.000.010", "ring …009 or (…010"),
        ("1 4821 0700000009", "1 4821 …009"),
    ],
)
def test_references_stay_and_numbers_in_groups_go(text: str, shown: str) -> None:
    """Several references beside each other are no telephone number."""
    assert without_numbers(text) == shown
