"""Maintenance: for what nobody is told just now or will not be, until when and why, and the form that announces it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final

from dashboards.pages.forms import Choice, field_time
from dashboards.pages.wording import LocalTime, local_time
from dashboards.pages.words import Words, noop
from domain.directory import Directory

WEEKDAYS: Final = (noop("Mon"), noop("Tue"), noop("Wed"), noop("Thu"), noop("Fri"), noop("Sat"), noop("Sun"))
MOST_FACILITIES: Final = 200
"""More than this is no list to choose from; the page of a facility leads here with its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """One shelving or maintenance window, as plain data."""

    id: int
    shelved: bool
    """Put aside by somebody, and no maintenance."""
    reason: str
    by: str
    start: datetime
    end: datetime | None
    holds: bool
    """At this moment."""
    country: str = ""
    region: str = ""
    district: str = ""
    facility: str = ""
    equipment: str = ""
    subject: str = ""
    rule: str = ""
    weekdays: tuple[int, ...] = ()
    from_time: time | None = None
    to_time: time | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class QuietLine:
    """One of them, in words."""

    id: int
    where: str
    facility: str
    """Id, where it is one; for the link."""
    what: str
    kind: str
    weekly: str
    start: LocalTime
    end: LocalTime | None
    reason: str
    by: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceForm:
    """What can be chosen, and what somebody filled in already."""

    facilities: tuple[Choice, ...]
    districts: tuple[Choice, ...]
    equipment: tuple[Choice, ...]
    """Of the facility that is chosen."""
    weekdays: tuple[Choice, ...]
    zone: str
    """In which the times are meant: of the facility, or of the first one in sight."""
    filled: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MaintenancePage:
    """The page."""

    sentence: str
    now: tuple[QuietLine, ...]
    later: tuple[QuietLine, ...]
    form: MaintenanceForm | None
    """None for somebody who may only look."""


def maintenance_page(
    found: Iterable[Quiet],
    directory: Directory,
    rules: Mapping[str, str],
    form: MaintenanceForm | None,
    now_ms: int,
    words: Words,
) -> MaintenancePage:
    """Return the page; ``rules`` are titles by id."""
    lines = [quiet_line(each, directory, rules, now_ms, words) for each in sorted(found, key=lambda each: each.start)]
    now = tuple(each for each in lines if each.holds)
    sentence = words("Nothing is silenced")
    if now:
        sentence = words.many(
            "Nobody is told of {count} thing just now", "Nobody is told of {count} things just now", len(now)
        )
    return MaintenancePage(sentence, now, tuple(each for each in lines if not each.holds), form)


def quiet_line(quiet: Quiet, directory: Directory, rules: Mapping[str, str], now_ms: int, words: Words) -> QuietLine:
    """Return a window in words."""
    facility = _facility_of(quiet, directory)
    place = directory.facilities.get(facility)
    zone_name = place.timezone if place else quiet.timezone
    wider = " · ".join(part for part in (quiet.district, quiet.region, quiet.country) if part)
    return QuietLine(
        id=quiet.id,
        where=place.name if place else facility or wider or words("Everywhere"),
        facility=facility if place else "",
        what=_what(quiet, directory, rules, words),
        kind=words("Put aside") if quiet.shelved else words("Maintenance"),
        weekly=_weekly(quiet, words),
        start=local_time(quiet.start, zone_name, now_ms, words),
        end=None if quiet.end is None else local_time(quiet.end, zone_name, now_ms, words),
        reason=quiet.reason,
        by=quiet.by,
        holds=quiet.holds,
    )


def _facility_of(quiet: Quiet, directory: Directory) -> str:
    equipment = directory.equipment.get(quiet.equipment)
    channel, node = directory.channels.get(quiet.subject), directory.nodes.get(quiet.subject)
    thing = equipment or channel or node
    return quiet.facility or (thing.facility if thing else "")


def _what(quiet: Quiet, directory: Directory, rules: Mapping[str, str], words: Words) -> str:
    equipment, node = directory.equipment.get(quiet.equipment), directory.nodes.get(quiet.subject)
    channel = directory.channels.get(quiet.subject)
    of_channel = directory.equipment.get(channel.equipment) if channel else None
    thing = equipment or of_channel
    name = thing.name if thing else (node.name or node.id) if node else quiet.equipment or quiet.subject
    rule = rules.get(quiet.rule, quiet.rule)
    return ": ".join(part for part in (name, rule) if part) or words("All alerts")


def _weekly(quiet: Quiet, words: Words) -> str:
    if quiet.from_time is None or quiet.to_time is None:
        return ""
    days = words(", ").join(words(WEEKDAYS[day]) for day in quiet.weekdays) or words("every day")
    return f"{days} {quiet.from_time:%H:%M}–{quiet.to_time:%H:%M} {quiet.timezone}"


def maintenance_form(
    directory: Directory, filled: Mapping[str, str], now_ms: int, words: Words, problem: str = ""
) -> MaintenanceForm:
    """Return the form for somebody who may announce maintenance at the facilities of a directory."""
    chosen = directory.facilities.get(filled.get("facility", ""))
    some = chosen or next(iter(directory.facilities.values()), None)
    zone_name = some.timezone if some else "UTC"
    return MaintenanceForm(
        facilities=_facilities(directory),
        districts=tuple(Choice(each, each) for each in _districts(directory)),
        equipment=tuple(Choice(each.id, each.name) for each in directory.equipment_of(chosen.id)) if chosen else (),
        weekdays=tuple(Choice(str(number), words(name)) for number, name in enumerate(WEEKDAYS)),
        zone=zone_name,
        filled={"start": field_time(now_ms, zone_name), **filled},
        problem=problem,
    )


def _facilities(directory: Directory) -> tuple[Choice, ...]:
    found = sorted(directory.facilities.values(), key=lambda each: each.name)
    return tuple(Choice(each.id, each.name) for each in found) if len(found) <= MOST_FACILITIES else ()


def _districts(directory: Directory) -> Sequence[str]:
    return sorted({each.district for each in directory.facilities.values() if each.district})
