"""``since``: a day from which on something is counted, at the facility."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from typing import Annotated, Any

from pydantic import BeforeValidator

from domain.instant import to_ms


def _day(raw: Any) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    try:
        return date.fromisoformat(raw)
    except (TypeError, ValueError):
        raise ValueError("a day such as 2026-03-01") from None


Since = Annotated[date, BeforeValidator(_day)]


def since_ms(day: date, zone: tzinfo) -> int:
    """Return the first moment of a day in a time zone."""
    return to_ms(datetime.combine(day, time(), zone))
