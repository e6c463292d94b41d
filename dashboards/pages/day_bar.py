"""The last day of a facility as a bar of hours: how bad each was, by height and colour; unknown is a gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from dashboards.pages.status import FacilityStatus, Status, alert_service
from dashboards.pages.words import Words
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Severity
from domain.instant import HOUR_MS, to_ms
from domain.place_hour import HourQuestion, PlaceHour
from domain.places import EquipmentKind, Service

HOURS: Final = 24
WIDTH: Final = 2 * HOURS
HEIGHT: Final = 12
_SHOWN: Final = (Status.CRITICAL, Status.WARNING, Status.OK)
_HEIGHTS: Final = {Status.CRITICAL: 12, Status.WARNING: 8, Status.OK: 4}
_ASIDE: Final = {AlertState.SUPPRESSED, AlertState.OUT_OF_SERVICE}

Hours = tuple[Status, ...]
"""Of the last ``HOURS`` hours, the running one last: CRITICAL, WARNING, OK, or SILENT where nothing is known."""


class BarPart(NamedTuple):
    """All hours of one kind, as one path."""

    status: Status
    path: str


@dataclass(frozen=True, slots=True)
class DayBar:
    """The drawing, and the same in words."""

    parts: tuple[BarPart, ...]
    words: str


def first_hour_ms(now_ms: int) -> int:
    """Return where the bar begins."""
    return now_ms - now_ms % HOUR_MS - (HOURS - 1) * HOUR_MS


def question_of(directory: Directory, facility: str) -> HourQuestion:
    """Return which channels tell how a facility was: power, cold chain and water, by their limits and supplies."""
    limited, supplies = [], []
    for channel in directory.channels_of(facility):
        equipment = directory.equipment.get(channel.equipment)
        if equipment is None or equipment.kind.service is Service.MONITORING:
            continue
        if channel.quantity.name == "supply" and equipment.kind is EquipmentKind.MAINS:
            supplies.append(channel.id)
        elif channel.limits:
            limited.append(channel.id)
    return HourQuestion(limited, supplies)


def past_hours(hours: Iterable[PlaceHour], alerts: Iterable[Alert], directory: Directory, now_ms: int) -> Hours:
    """Return how a facility was hour by hour, from its roll-ups and its alerts of that time."""
    begin_ms = first_hour_ms(now_ms)
    found = [Status.SILENT] * HOURS
    for hour in hours:
        if hour.known:
            place = (hour.start_ms - begin_ms) // HOUR_MS
            found[place] = _worse(found[place], Status.WARNING if hour.troubled else Status.OK)
    for alert in alerts:
        if alert.severity < Severity.WARNING or alert.state in _ASIDE:
            continue
        if alert_service(directory, alert) is Service.MONITORING:
            continue  # silence is a gap
        tone = Status.CRITICAL if alert.severity is Severity.CRITICAL else Status.WARNING
        end_ms = now_ms if alert.ended_at is None else to_ms(alert.ended_at)
        first, last = ((moment - begin_ms) // HOUR_MS for moment in (to_ms(alert.started_at), end_ms))
        for place in range(max(first, 0), min(last, HOURS - 1) + 1):
            found[place] = _worse(found[place], tone)
    return tuple(found)


def day_bar(hours: Hours, status: FacilityStatus, words: Words) -> DayBar:
    """Return the bar of a facility; its last hour is at least as bad as the facility is now."""
    services = [each.status for each in status.services if each.service is not Service.MONITORING]
    now = min((each for each in services if each in _SHOWN), key=lambda each: each.rank, default=Status.SILENT)
    whole = (*hours[:-1], _worse(hours[-1], now))
    return DayBar(
        tuple(BarPart(tone, _path(whole, tone)) for tone in _SHOWN if tone in whole),
        _in_words(whole, words),
    )


def _worse(one: Status, other: Status) -> Status:
    """Return the worse of two; anything known says more than nothing."""
    known = [each for each in (one, other) if each is not Status.SILENT]
    return min(known, key=lambda each: each.rank, default=Status.SILENT)


def _path(hours: Hours, tone: Status) -> str:
    top, path, place = HEIGHT - _HEIGHTS[tone], "", 0
    for same, run in groupby(hours):
        length = len(list(run))
        if same is tone:
            path += f"M{2 * place} {HEIGHT}V{top}h{2 * length}V{HEIGHT}z"
        place += length
    return path


def _in_words(hours: Sequence[Status], words: Words) -> str:
    counts = {tone: sum(each is tone for each in hours) for tone in (*_SHOWN, Status.SILENT)}
    said = {
        Status.CRITICAL: words("{count} h critical", count=counts[Status.CRITICAL]),
        Status.WARNING: words("{count} h with something wrong", count=counts[Status.WARNING]),
        Status.OK: words("{count} h well", count=counts[Status.OK]),
        Status.SILENT: words("{count} h unknown", count=counts[Status.SILENT]),
    }
    return words(
        "Last 24 hours: {hours}.", hours=words(", ").join(said[tone] for tone, count in counts.items() if count)
    )
