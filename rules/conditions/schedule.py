"""``schedule``: it is such a time of day at the facility."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time, tzinfo
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from domain.instant import to_datetime
from rules.conditions.base import Flaw, Part
from rules.signals import Scope, Signal

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_NAMES = dict(zip(_DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))


def _time_of_day(raw: Any) -> time:
    if isinstance(raw, time):
        return raw
    try:
        # YAML reads 01:00 without quotes as a number of minutes.
        return time(*divmod(raw, 60)) if isinstance(raw, int) else time.fromisoformat(raw)
    except (TypeError, ValueError):
        raise ValueError("a time of day such as 22:00") from None


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]


class Schedule(Part):
    """From when to when, on which days; past midnight where the end is before the beginning."""

    from_: TimeOfDay = Field(alias="from")
    to: TimeOfDay
    days: tuple[Day, ...] = _DAYS
    """Days on which it begins."""

    @field_validator("days", mode="before")
    @classmethod
    def _one_day_without_brackets(cls, raw: Any) -> Any:
        return (raw,) if isinstance(raw, str) else raw

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether it is that time at the facility."""
        zone = scope.timezone
        return Signal(lambda: _Clock(self, zone), 0)

    def includes(self, moment_ms: int, zone: tzinfo) -> bool:
        """Tell whether a moment lies in it; the beginning does, the end does not."""
        local = to_datetime(moment_ms).astimezone(zone)
        today, yesterday = _DAYS[local.weekday()], _DAYS[local.weekday() - 1]
        now = local.time()
        if self.from_ < self.to:
            return today in self.days and self.from_ <= now < self.to
        return (today in self.days and now >= self.from_) or (yesterday in self.days and now < self.to)

    def flaws(self) -> Iterator[Flaw]:
        """Yield a schedule that never begins or never ends."""
        if self.from_ == self.to:
            yield Flaw(("to",), f"the same time as 'from', {self.to:%H:%M}", "another time of day")
        if not self.days:
            yield Flaw(("days",), "no day", f"some of {', '.join(_DAYS)}, or no 'days' for every day")

    def sentence(self, words: Sequence[str]) -> str:
        """Return the time in a sentence."""
        del words
        days = "" if self.days == _DAYS else f" of a {' or a '.join(_NAMES[day] for day in self.days)}"
        return f"it is between {self.from_:%H:%M} and {self.to:%H:%M}{days} there"


class _Clock:
    """Knows the time without any reading."""

    __slots__ = ("_schedule", "_zone")

    def __init__(self, schedule: Schedule, zone: tzinfo) -> None:
        self._schedule, self._zone = schedule, zone

    def take(self, place: int, moment_ms: int, value: float) -> None:
        pass

    def truth(self, moment_ms: int) -> bool | None:
        return self._schedule.includes(moment_ms, self._zone)

    def figure(self) -> float | None:
        return None
