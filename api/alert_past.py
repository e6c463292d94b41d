"""Reading what was measured around an alert: its trend, the power, and how the fridges warm."""

from __future__ import annotations

from api.queries import read_buckets
from api.services import Services
from api.time_left import FITTED_OVER_MS, time_left, warming
from dashboards.pages.alert_trend import AlertPast, PowerNow, TimeLeft, measured_since, trend_window
from dashboards.pages.state_strip import power_stretches, stretches_of
from domain.alert import Alert
from domain.instant import to_ms
from domain.supplies import is_supply

_MOST_FITTED = 10_000
"""Readings of one channel that a forecast looks at: more than one a second."""


async def read_alert_past(services: Services, alert: Alert) -> AlertPast:
    """Return what is known; what is not registered any more is unknown."""
    directory, now_ms = services.directory(), services.clock.now_ms()
    facility, channel = directory.facilities.get(alert.facility), directory.channels.get(alert.subject)
    window = trend_window(alert, facility.timezone if facility else "UTC", now_ms)
    supplies = [each for each in directory.channels_of(alert.facility) if is_supply(directory, each)]
    wanted = [*supplies, channel] if channel and channel not in supplies else supplies
    series = await read_buckets(services, wanted, window)
    stretches = power_stretches([stretches_of(each, series[each.id], window) for each in supplies])
    power = services.power(alert.facility)
    # The service forgets since when at a restart; what was measured still tells.
    since = None if power is None else power.since or measured_since(stretches, on=power.on)
    power_now = None if power is None else PowerNow(power.on, since)
    return AlertPast(
        window=window,
        buckets=series[channel.id] if channel else (),
        power=stretches if supplies else None,
        power_now=power_now,
        left=await _left(services, alert, power_now) if alert.ended_at is None and power_now else (),
    )


async def _left(services: Services, alert: Alert, power: PowerNow) -> list[TimeLeft]:
    """Return for the fridges of a facility without power how long they stay cold enough, where that can be said."""
    if power.on:
        return []
    now_ms = services.clock.now_ms()
    from_ms = max(now_ms - FITTED_OVER_MS, to_ms(power.since) if power.since else 0)
    found = []
    for channel in warming(services.directory(), alert.facility):
        readings = await services.series(channel.id, from_ms, now_ms + 1, limit=_MOST_FITTED)
        left = time_left(channel, readings, now_ms)
        if left is not None:
            found.append(left)
    return found
