"""What is computed once for rules and dashboards: how much of each window a service was down, of facility and region.

Long windows do not read the samples of every scrape: they are put together from slices of five minutes, of an hour, or
of six. No group is evaluated less often than every four minutes whose results are looked at as of now, for Prometheus
forgets them after five.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dashboards.prometheus.rule import Setting, group, recorded
from dashboards.prometheus.times import BURNS, HOUR, MINUTE, SECONDS, paced
from domain.places import Service

PLACE: Final = "country, region, district, facility, service"
REGION: Final = "country, region, service"
TARGET: Final = "vitals_facility_uptime_target_ratio"
REGION_TARGET: Final = "region_service:vitals_uptime_target:ratio"
_FAST: Final = ("5m", "1h")
_SLOW: Final = ("30m", "2h")
_DAYS: Final = ("6h", "1d", "3d")
_SLICES: Final = {"30m": "5m", "2h": "5m", "6h": "5m", "1d": "1h", "3d": "1h", "7d": "6h", "30d": "6h"}
"""Of which slices a window is made: of 20 to 120 of them."""
_OUTAGE: Final = "facility_service:vitals_outage_seconds:increase"
_OBSERVED: Final = "facility_service:vitals_observed_seconds:increase"
_GAUGES: Final = {
    Service.POWER: "vitals_facility_power_available",
    Service.COLD_CHAIN: "vitals_facility_cold_chain_ok",
    Service.WATER: "vitals_facility_water_available",
}


def outage(window: str) -> str:
    """Return the name of the share of a window for which a service of a facility was down; none where it was not."""
    return f"facility_service:vitals_outage:ratio{window}"


def region_outage(window: str) -> str:
    """Return the name of the same share of a region: the mean of its facilities to which something is promised."""
    return f"region_service:vitals_outage:ratio{window}"


def recording_groups(setting: Setting) -> list[dict[str, Any]]:
    """Return the groups of recording rules."""
    pace = setting.pace
    return [
        group("vitals-slices", 5 * MINUTE, _slices("5m", pace), setting),
        group("vitals-hours", HOUR, _slices("1h", pace), setting),
        group("vitals-quarters", 6 * HOUR, _quarters(pace), setting),
        group("vitals-burn-fast", MINUTE, (_fast(window, pace) for window in _FAST), setting),
        group("vitals-burn-slow", 2 * MINUTE, (_slow(window, pace) for window in _SLOW), setting),
        group("vitals-burn-days", 4 * MINUTE, (_slow(window, pace) for window in _DAYS), setting),
        group("vitals-availability", 4 * MINUTE, _availability(pace), setting),
        group("vitals-regions", MINUTE, _regions(), setting),
    ]


def _increase(what: str, window: str) -> str:
    return f"sum by ({PLACE}) (\n  increase(vitals_facility_{what}_seconds_total[{window}])\n)"


def _slices(length: str, pace: float) -> Iterator[dict[str, Any]]:
    """Outages are rare: they are kept only where there were any, which halves the cost of all that is built on them."""
    window = paced(length, pace)
    yield recorded(f"{_OBSERVED}{length}", _increase("observed", window))
    yield recorded(f"{_OUTAGE}{length}", f"{_increase('outage', window)} > 0")


def _quarters(pace: float) -> Iterator[dict[str, Any]]:
    window = paced("6h", pace)
    yield recorded(f"{_OBSERVED}6h", f"sum_over_time({_OBSERVED}1h[{window}])")
    yield recorded(f"{_OUTAGE}6h", f"sum_over_time({_OUTAGE}1h[{window}])")


def _fast(window: str, pace: float) -> dict[str, Any]:
    length = paced(window, pace)
    return _share(window, f"({_increase('outage', length)} > 0)", _increase("observed", length), pace)


def _slow(window: str, pace: float) -> dict[str, Any]:
    return _share(window, *_added_up(window, pace), pace)


def _added_up(window: str, pace: float) -> tuple[str, str]:
    """Return the seconds down and the seconds known of a window, from slices."""
    length, slices = paced(window, pace), _SLICES[window]
    return f"sum_over_time({_OUTAGE}{slices}[{length}])", f"sum_over_time({_OBSERVED}{slices}[{length}])"


def _share(window: str, down: str, known: str, pace: float) -> dict[str, Any]:
    """Divide by the time that is known, but by half the window at least: minutes after a silent week say little."""
    half = f"{SECONDS[window] / 2 / pace:g}"
    # Of two counters that began together one may be guessed a little beyond the other at the edge of a window.
    return recorded(outage(window), f"clamp_max(\n{down}\n/\nclamp_min({known}, {half}), 1)")


def _availability(pace: float) -> Iterator[dict[str, Any]]:
    for window in ("1d", "7d", "30d"):
        down, added = _added_up(window, pace)
        known = f"({added} > 0)"
        name = f"vitals_availability:ratio{window}"
        # Where there was no outage there is no slice of one.
        yield recorded(f"facility_service:{name}", f"1 - (\n  clamp_max({down}\n  / {known}, 1)\n  or 0 * {known}\n)")
        yield recorded(f"region_service:{name}", f"avg by ({REGION}) (facility_service:{name})")


def _regions() -> Iterator[dict[str, Any]]:
    promised = f"count by ({REGION}) (group by ({PLACE}) ({TARGET}))"
    yield recorded("region_service:vitals_facilities_promised:count", promised)
    yield recorded(REGION_TARGET, f"avg by ({REGION}) (avg by ({PLACE}) ({TARGET}))")
    for window in sorted({name for burn in BURNS for name in (burn.long, burn.short)}, key=SECONDS.__getitem__):
        down = f"sum by ({REGION}) (\n  {outage(window)}\n  and on ({PLACE}) {TARGET}\n)"
        yield recorded(region_outage(window), f"{down}\n/\nregion_service:vitals_facilities_promised:count")
    heard, everyone = "on (facility) (vitals_facility_up == 1)", "count by (country, region) (vitals_facility_up)"
    yield recorded("region:vitals_facilities:count", everyone)
    silent = f"count by (country, region) (vitals_facility_up == 0)\nor 0 * {everyone}"
    yield recorded("region_service:vitals_facilities_down:count", silent, service=Service.MONITORING.value)
    for service, name in _GAUGES.items():
        # A silent facility is down for the monitoring alone: no link is not no power.
        down = f"count by (country, region) ({name} == 0 and {heard})\nor 0 * count by (country, region) ({name})"
        yield recorded("region_service:vitals_facilities_down:count", down, service=service.value)
