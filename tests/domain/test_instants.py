"""Moments and durations at the border: what a person or a peer writes comes in exactly, or is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import format_duration, format_rfc3339, parse_duration, parse_rfc3339, to_datetime, to_ms

MOMENTS = st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999)


@given(MOMENTS)
def test_a_moment_survives_the_way_through_datetime_and_text(moment_ms: int) -> None:
    """Milliseconds, datetime and RFC 3339 name the same moment without loss."""
    assert to_ms(to_datetime(moment_ms)) == moment_ms
    assert to_ms(parse_rfc3339(format_rfc3339(moment_ms))) == moment_ms


def test_text_is_utc_whatever_zone_the_moment_had() -> None:
    """A moment in Kampala is written in UTC."""
    kampala = datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    assert format_rfc3339(kampala) == "2026-01-01T00:00:00Z"


def test_a_time_without_zone_is_refused() -> None:
    """A naive time is never guessed to be UTC."""
    with pytest.raises(ValueError, match="no time zone"):
        parse_rfc3339("2026-01-01T00:00:00")
    with pytest.raises(ValueError, match="no time zone"):
        to_ms(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive datetime is the point


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("10min", 600), ("1h30min", 5400), ("7d", 604800), ("250ms", 0.25), ("1h 5m", 3900)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    """Units may be combined, with or without a space."""
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "ten hours", "10", "h", "-5min", "10h!", "5 min and more", "1h;2min"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Neither a bare number nor trailing words are taken for a duration."""
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=10**8))
def test_a_formatted_duration_reads_back(seconds: int) -> None:
    """What a person is shown can be typed back in."""
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


def test_now_in_utc_is_the_same_in_both_forms() -> None:
    """The epoch is where both scales start."""
    assert to_ms(datetime(1970, 1, 1, tzinfo=UTC)) == 0
