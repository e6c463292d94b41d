"""The bands of ANSI/ISA-18.2 and IEC 62682 (clause 16, table of alarm performance metrics) and of EEMUA 191, as words.

They were made for one operator at one console and at least 30 days; here the operator is a district. The average rate:
one in ten minutes is very likely acceptable, two are the most that is manageable (ISA-18.2; EEMUA 191 has the same
steps), more is over-demanding, and more than one a minute very likely unacceptable (EEMUA 191). For the other figures
ISA-18.2 has a target and no further steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from domain.episode import Severity


class Band(StrEnum):
    """How a figure is to be judged."""

    ACCEPTABLE = "acceptable"
    MANAGEABLE = "manageable"
    OVER_DEMANDING = "over-demanding"
    UNACCEPTABLE = "unacceptable"
    ABOVE_TARGET = "above target"


_RATES = ((1.0, Band.ACCEPTABLE), (2.0, Band.MANAGEABLE), (10.0, Band.OVER_DEMANDING))
FEW = 0.01
"""ISA-18.2: the target for the share of busy hours and of time in flood, about one per cent."""
MOST_IN_TEN_MINUTES = 10
"""ISA-18.2: the most alarms in any ten minutes; more are a flood."""
_TOP_TEN_MOST = 0.05
"""ISA-18.2: the ten most frequent alarms contribute about 1 % to 5 % at most."""
_STALE_FEWER_THAN = 5
"""ISA-18.2: fewer than five stale alarms on any day."""
_MOST_CRITICAL = 0.05
_MOST_ABOVE_INFO = 0.20
"""ISA-18.2 and EEMUA 191, three priorities: about 80 % low, 15 % medium, 5 % high."""


def rate_band(per_ten_minutes: float) -> Band:
    """Return the word for an average number of alarms in ten minutes (6 times that an hour, 144 times a day)."""
    return next((band for most, band in _RATES if per_ten_minutes <= most), Band.UNACCEPTABLE)


def share_band(share: float) -> Band:
    """Return the word for a share that should be about one per cent at most."""
    return Band.ACCEPTABLE if share <= FEW else Band.ABOVE_TARGET


def peak_band(number: int) -> Band:
    """Return the word for the most alarms in ten minutes, of which there should be no more than ten."""
    return Band.ACCEPTABLE if number <= MOST_IN_TEN_MINUTES else Band.ABOVE_TARGET


def top_ten_band(share: float) -> Band:
    """Return the word for what the ten most frequent alarms contribute: 1 % is good, 5 % the most."""
    if share <= FEW:
        return Band.ACCEPTABLE
    return Band.MANAGEABLE if share <= _TOP_TEN_MOST else Band.ABOVE_TARGET


def chattering_band(number: int) -> Band:
    """Return the word for a number of chattering alarms, of which there should be none."""
    return Band.ACCEPTABLE if number == 0 else Band.ABOVE_TARGET


def stale_band(number: int) -> Band:
    """Return the word for a number of stale alarms at once, which should be fewer than five."""
    return Band.ACCEPTABLE if number < _STALE_FEWER_THAN else Band.ABOVE_TARGET


def priority_band(shares: Mapping[Severity, float]) -> Band:
    """Return the word for a distribution that should be about 80 % info, 15 % warning, 5 % critical, or milder."""
    critical, warning = shares[Severity.CRITICAL], shares[Severity.WARNING]
    fits = critical <= _MOST_CRITICAL and critical + warning <= _MOST_ABOVE_INFO
    return Band.ACCEPTABLE if fits else Band.ABOVE_TARGET
