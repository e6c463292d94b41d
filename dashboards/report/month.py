"""Months as people count them: by the clocks of a place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from dashboards.pages.wording import zone
from domain.errors import OperatorError
from domain.places import Facility

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class Month(NamedTuple):
    """A month of a year."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def moved(self, months: int) -> Month:
        """Return the month so many later."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    def begins(self, zone_name: str) -> datetime:
        """Return its first moment by the clocks of a zone, in UTC."""
        return datetime(self.year, self.number, 1, tzinfo=zone(zone_name)).astimezone(UTC)

    def period(self, zone_name: str) -> tuple[datetime, datetime]:
        """Return its beginning and its end."""
        return self.begins(zone_name), self.moved(1).begins(zone_name)

    def due(self, zone_name: str, after: timedelta) -> datetime:
        """Return the moment so long after its end by the wall clock of a zone, in UTC."""
        following = self.moved(1)
        wall = datetime(following.year, following.number, 1) + after  # noqa: DTZ001 - the wall clock's figures
        return wall.replace(tzinfo=zone(zone_name)).astimezone(UTC)


def month_of(text: str) -> Month:
    """Return the month that is written like ``2026-11``; raise ``OperatorError`` for anything else."""
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12 or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        raise OperatorError(f"{text!r} is no month; allowed: a month such as 2026-11")
    return Month(int(found[1]), int(found[2]))


def month_at(moment: datetime, zone_name: str) -> Month:
    """Return the month in which a moment lies by the clocks of a zone."""
    local = moment.astimezone(zone(zone_name))
    return Month(local.year, local.month)


def month_within(period: tuple[datetime, datetime], zone_name: str) -> Month | None:
    """Return the month that a period is exactly; None for any other period."""
    found = month_at(period[0], zone_name)
    return found if found.period(zone_name) == period else None


def zone_of(facilities: Iterable[Facility]) -> str:
    """Return the time zone that most of them have, of several the first by name; UTC for none."""
    counts = Counter(each.timezone for each in facilities)
    return min(counts, key=lambda name: (-counts[name], name), default="UTC")
