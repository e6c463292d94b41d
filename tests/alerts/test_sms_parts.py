"""Texts in parts: nothing lost, nothing too long for the air."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.notifiers.sms_parts import header_of, parts_of, placed
from domain.gsm7 import septets


@given(st.text(max_size=700))
def test_parts_hold_the_whole_text_and_fit(text: str) -> None:
    """Put together, the parts are the text; each fits beside its header."""
    gsm7, texts = parts_of(text)
    assert "".join(texts) == text
    for part in texts:
        if gsm7:
            assert (septets(part) or 0) <= (160 if len(texts) == 1 else 153)
        else:
            assert len(part.encode("utf-16-be")) // 2 <= (70 if len(texts) == 1 else 67)


def test_bounds_are_those_of_the_standard() -> None:
    """160 and 70 characters are one part, one more are two; a sign of the extension table takes two places."""
    assert [len(parts_of(text).texts) for text in ("a" * 160, "a" * 161, "é" * 160, "€" * 80, "€" * 81)] == [
        1,
        2,
        1,
        1,
        2,
    ]
    assert [len(parts_of(text).texts) for text in ("ж" * 70, "ж" * 71)] == [1, 2]


@given(st.integers(0, 9999), st.integers(1, 255), st.integers(1, 255))
def test_a_header_says_which_part_it_is(reference: int, total: int, position: int) -> None:
    """Who reads a header finds what was written."""
    found = placed(header_of(reference, total, position))
    assert found is not None
    assert found[1:] == (total, position)


def test_other_headers_are_not_of_long_texts() -> None:
    """Wide references are read as well; a header for a port is none."""
    wide = placed("0608041234" + "0302")
    assert wide is not None
    assert wide[1:] == (3, 2)
    assert placed("06050415811581") is None
    assert placed("") is None
