"""How long a fridge without power stays cold enough, by the rules' own forecast; pure.

Where that cannot be said well enough to act on, nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from dashboards.pages.alert_trend import TimeLeft
from dashboards.pages.series import GAP_INTERVALS
from dashboards.pages.status import is_fresh
from domain.directory import Directory
from domain.instant import HOUR_MS
from domain.places import Channel, Service
from domain.reading import Reading
from rules.conditions.forecast import WIDEST, forecast

FITTED_OVER_MS = 2 * HOUR_MS
"""The curve is fitted to what was measured in this time, and since the power is off: before, something cooled."""


def warming(directory: Directory, facility: str) -> list[Channel]:
    """Return the channels that may become too warm without power."""
    found = []
    for channel in directory.channels_of(facility):
        item = directory.equipment.get(channel.equipment)
        cold = item is not None and item.kind.service is Service.COLD_CHAIN
        if cold and channel.quantity.name == "temperature" and "high" in channel.limits:
            found.append(channel)
    return found


def time_left(channel: Channel, readings: Sequence[Reading], now_ms: int) -> TimeLeft | None:
    """Return when the high limit is reached, from readings in order of time since the power is off.

    None where the newest says nothing of now, it is not getting there, or the fit is too poor to act on.
    """
    usable = _unbroken(channel, readings)
    if not usable or not is_fresh(channel, usable[-1], now_ms):
        return None
    moments, values = [each.measured_at_ms for each in usable], [each.value or 0.0 for each in usable]
    limit = channel.limits["high"]
    found = forecast(moments, values, limit, 1)
    if found is None or values[-1] >= limit or not math.isfinite(found.latest_ms):
        return None
    age_ms = now_ms - moments[-1]
    earliest_ms, latest_ms = found.earliest_ms - age_ms, found.latest_ms - age_ms
    if earliest_ms <= 0 or found.latest_ms > found.earliest_ms * WIDEST:
        return None
    return TimeLeft(channel.id, earliest_ms, latest_ms)


def _unbroken(channel: Channel, readings: Sequence[Reading]) -> list[Reading]:
    """Return the usable readings since the last gap: a curve is not fitted across one."""
    usable = [each for each in readings if each.value is not None and each.quality.usable]
    gap_ms = GAP_INTERVALS * channel.interval.total_seconds() * 1000
    begin = 0
    for number, (one, following) in enumerate(pairwise(usable), 1):
        if following.measured_at_ms - one.measured_at_ms > gap_ms:
            begin = number
    return usable[begin:]
