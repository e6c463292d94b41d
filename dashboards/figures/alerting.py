"""Open alerts by how long they have been there."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from domain.alert import Alert
from domain.instant import DAY_MS, HOUR_MS, to_ms


class Age(StrEnum):
    """How long something has been open."""

    UNDER_1_HOUR = "under_1_hour"
    UNDER_4_HOURS = "under_4_hours"
    UNDER_24_HOURS = "under_24_hours"
    UNDER_3_DAYS = "under_3_days"
    OLDER = "older"


_BELOW_MS = {
    Age.UNDER_1_HOUR: HOUR_MS,
    Age.UNDER_4_HOURS: 4 * HOUR_MS,
    Age.UNDER_24_HOURS: DAY_MS,
    Age.UNDER_3_DAYS: 3 * DAY_MS,
}


def ages(alerts: Iterable[Alert], now_ms: int) -> dict[Age, int]:
    """Return how many alerts there are of each age, counted from the beginning of the trouble as on every page."""
    found = dict.fromkeys(Age, 0)
    for alert in alerts:
        age_ms = now_ms - to_ms(alert.started_at)
        found[next((age for age, below_ms in _BELOW_MS.items() if age_ms < below_ms), Age.OLDER)] += 1
    return found
