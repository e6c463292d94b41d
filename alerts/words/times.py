"""How long something lasts, and when it was, as people say it in their language."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime

from alerts.words.language import gettext_noop, say, spoken

_SECOND = gettext_noop("{number}s")
_UNITS = ((60, gettext_noop("{number}min")), (3600, gettext_noop("{number}h")), (86400, gettext_noop("{number}d")))
_TWO_DAYS = 2 * 86400
_FORTNIGHT = 14 * 86400


def brief_duration(duration: timedelta, language: str = "en") -> str:
    """Return a duration as people say it: hours and minutes up to two days, then days and hours, then whole days."""
    seconds = max(0, round(duration.total_seconds()))
    minute, hour, day = _UNITS
    if seconds < 60:
        return say(language, _SECOND, number=seconds)
    if seconds < _TWO_DAYS:
        return _in(seconds, (hour, minute), language)
    return _in(seconds, (day, hour) if seconds < _FORTNIGHT else (day,), language)


def local_time(moment: datetime, timezone: str, language: str) -> str:
    """Return e.g. ``20 Nov 2026 15:00 (Africa/Kampala)``; UTC where the zone is a mistake."""
    zone = _zone(timezone)
    return f"{_formatted(moment, 'd MMM y HH:mm', zone, language)} ({zone.key})"


def brief_time(moment: datetime, timezone: str, language: str) -> str:
    """Return e.g. ``20 Nov 15:00``."""
    return _formatted(moment, "d MMM HH:mm", _zone(timezone), language)


def _in(seconds: int, units: tuple[tuple[int, str], ...], language: str) -> str:
    texts = []
    for size, text in units:
        number, seconds = divmod(seconds, size)
        if number:
            texts.append(say(language, text, number=number))
    return " ".join(texts)


@lru_cache(maxsize=1024)
def _formatted(moment: datetime, pattern: str, zone: ZoneInfo, language: str) -> str:
    return format_datetime(moment, pattern, tzinfo=zone, locale=spoken(language).replace("-", "_"))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
