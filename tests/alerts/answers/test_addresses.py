"""Telephone numbers made alike, and machines told from people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.answers.addresses import international, is_machine
from alerts.answers.settings import AnswersSettings

UGANDA = AnswersSettings(country_prefix="+256")
NOWHERE = AnswersSettings()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+256 700 000-001", "+256700000001"),
        ("00256700000001", "+256700000001"),
        ("256700000001", "+256700000001"),
        ("0700 000 001", "+256700000001"),
        ("700000001", "+256700000001"),
        ("+256 (0)700 000001", "+256700000001"),
        ("+2560700000001", "+256700000001"),
        ("٠٧٠٠٠٠٠٠٠١", "+256700000001"),
        ("+254700000001", "+254700000001"),
        ("12345", ""),
        ("MTN", ""),
        ("", ""),
        ("+" + "1" * 16, ""),
    ],
)
def test_spellings_of_a_number(written: str, expected: str) -> None:
    """National, international and sloppy forms are one number; short codes and names are none."""
    assert international(written, UGANDA) == expected


def test_without_a_country_only_whole_numbers_are_alike() -> None:
    """A national number keeps its digits, so that it still equals itself."""
    assert international("0700 000 001", NOWHERE) == "0700000001"
    assert international("00256700000001", NOWHERE) == "+256700000001"


@given(st.text(max_size=30))
def test_any_address_is_read(text: str) -> None:
    """No string raises, and what is read once stays as it is."""
    number = international(text, UGANDA)
    assert international(number, UGANDA) == number
    assert isinstance(is_machine("sms", text), bool)


def test_chats_know_no_machines_by_their_names() -> None:
    """Names are people's addresses where addresses are not telephone numbers."""
    assert not is_machine("telegram", "4711")
    assert is_machine("sms", "4711")
