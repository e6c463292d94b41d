"""Moments, durations and the clock.

A moment in the stream of readings is an integer of milliseconds since 1970-01-01T00:00:00Z (``_ms`` in names);
everywhere else it is an aware UTC ``datetime``; at every border it is RFC 3339 text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)\s*")
_SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


class Clock(Protocol):
    """Time as a parameter: the demo runs hours in minutes, a test runs days in none."""

    def now_ms(self) -> int:
        """Return the current moment in milliseconds since 1970, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds of this clock."""


def to_datetime(moment_ms: int) -> datetime:
    """Return the aware UTC datetime of a moment in milliseconds."""
    return _EPOCH + timedelta(milliseconds=moment_ms)


def to_ms(moment: datetime) -> int:
    """Return the milliseconds since 1970 of an aware datetime; a naive one raises ``ValueError``."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return (moment - _EPOCH) // _MILLISECOND


def format_rfc3339(moment: datetime | int) -> str:
    """Return e.g. ``2026-11-20T12:00:00Z``; milliseconds are written only where there are any."""
    aware = to_datetime(moment) if isinstance(moment, int) else moment.astimezone(UTC)
    precision = "milliseconds" if aware.microsecond else "seconds"
    return aware.isoformat(timespec=precision).replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Return the aware UTC datetime that the text names; raise ``ValueError`` without a zone or shape."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write it as 2026-11-20T12:00:00Z")
    return moment.astimezone(UTC)


def parse_duration(text: str) -> timedelta:
    """Return the duration that e.g. ``10h``, ``1h30min``, ``45s`` names; raise ``ValueError`` for another shape."""
    compact = text.strip()
    total_seconds, end = 0.0, 0
    for part in _DURATION_PART.finditer(compact):
        if part.start() != end:
            break
        total_seconds += float(part[1]) * _SECONDS_PER_UNIT[part[2]]
        end = part.end()
    if not compact or end != len(compact):
        raise ValueError(f"{text!r} is not a duration: write it as 45s, 10min, 1h30min or 7d")
    return timedelta(seconds=total_seconds)


def read_duration(found: object) -> object:
    """Return the duration that a text names, and anything else as it is: for settings, which also take seconds.

    The ``ValueError`` for another text says what is allowed and does not repeat the text, which may be a secret.
    """
    if not isinstance(found, str):
        return found
    try:
        return parse_duration(found)
    except ValueError:
        raise ValueError("a duration such as 45s, 10min, 1h30min or 7d") from None


def format_duration(duration: timedelta) -> str:
    """Return the shortest exact text of a duration in days, hours, minutes and seconds: ``1h 30min``."""
    seconds = round(duration.total_seconds())
    if seconds <= 0:
        return "0s"
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)
