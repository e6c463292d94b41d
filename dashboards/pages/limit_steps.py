"""The limits of a channel as a chart shades them: those in force at each time."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.pages.series import Window
from domain.limits import ALWAYS_MS, Era, LimitsSince, eras
from domain.places import Channel


def limits_in_force(channel: Channel, window: Window) -> list[Era]:
    """Return the stretches of the window with the same limits all along; where none is in force there is none."""
    since_ms, history = ALWAYS_MS, []
    for past in channel.past_limits:
        history.append(_since(since_ms, past.limits))
        since_ms = past.until_ms
    history.append(_since(since_ms, channel.limits))
    return eras(tuple(history), window.from_ms, window.to_ms)


def _since(since_ms: int, limits: Mapping[str, float]) -> LimitsSince:
    return LimitsSince(since_ms, limits.get("low"), limits.get("high"))
